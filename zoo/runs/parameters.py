"""How many parameters the networks of a run have, read from the header of its weights."""

from __future__ import annotations

import math

from zoo.errors import ZooError
from zoo.runs import safetensors
from zoo.runs.checkpoints import ARRAYS, Store
from zoo.runs.run import Run

_NETWORKS = "networks/"  # what names of their variables begin with


def count(run: Run) -> int | None:
    """Numbers in all networks of a run or a pack; None where there are no weights to read."""
    path = run.packed_weights
    if not path.exists():
        names = Store(run.checkpoints).names()
        if not names:
            return None
        path = run.checkpoints / names[-1] / ARRAYS
    try:
        found = safetensors.shapes(path)
    except (ZooError, FileNotFoundError):
        return None
    return sum(math.prod(shape) for name, shape in found.items() if name.startswith(_NETWORKS))
