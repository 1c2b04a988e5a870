"""A process that writes checkpoints into a folder, to be broken at any of its system calls."""

import sys
from pathlib import Path

import numpy as np

from zoo.runs.checkpoints import Snapshot, Store


def checkpoint(epoch: int) -> Snapshot:
    arrays = {"a": np.full((300,), epoch, "float32"), "b": np.array(epoch)}
    return Snapshot(arrays, {"epoch": epoch, "step": 0})


if __name__ == "__main__":
    store = Store(Path(sys.argv[1]))
    print(store.write(checkpoint(int(sys.argv[2])), keep=2))
