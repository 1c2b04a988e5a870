"""A few steps of a small training, made by one process or by several; each writes what it has.

python -m tests.replicas RECIPE STEPS FOLDER     with the variables of a rank, or without
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from zoo.runtime import ranks


def steps(name: str, count: int, folder: Path, batch: int = 0) -> None:
    """Make the first steps, and write the terms of each and the state after them."""
    rank = ranks.mine()
    from zoo.engine import distributed

    if rank:
        distributed.join(rank, os.environ["KERAS_BACKEND"])
    from tests.resumable import QUIET, recipe
    from zoo.engine import state
    from zoo.engine.backends import backend
    from zoo.training.chunks import Chunks
    from zoo.training.experiment import prepare

    found = recipe(name, callbacks=[])
    experiment = prepare(found, QUIET)
    model, chunks = experiment.model, Chunks(experiment.batches, [])
    made = backend.Steps(model, chunks.rows, 1)
    terms: list[np.ndarray] = []
    for epoch in range(count):
        chunks.batches.epoch = epoch
        for i in range(len(chunks.batches)):
            if len(terms) < count:
                model.reset_metrics()
                chunk = chunks._joined(i, 1, False)
                terms.append(made.start(chunk.data, chunk.share)()[0])
                made.sync()
    number = rank.number if rank else "alone"
    np.savez(folder / f"{number}.npz", terms=np.array(terms), **state.captured(model))


def made(name: str, count: int, folder: Path, processes: int) -> list[dict[str, np.ndarray]]:
    """What each of some processes has in the end."""
    folder.mkdir()
    command = [sys.executable, "-m", "tests.replicas", name, str(count), str(folder)]
    places = [ranks.environment(n, processes, folder) for n in range(processes)]
    started = [
        subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"} | place)
        for place in (places if processes > 1 else [{}])
    ]
    assert [child.wait(300) for child in started] == [0] * processes
    names = range(processes) if processes > 1 else ["alone"]
    return [dict(np.load(folder / f"{number}.npz")) for number in names]


if __name__ == "__main__":
    steps(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
