"""Functions of pictures on the backend, called on batches of one size."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from zoo.engine.backends import backend
from zoo.engine.distributed import sharing


def batched(
    function: Callable, variables: list[keras.Variable], size: int
) -> Callable[[np.ndarray], np.ndarray]:
    """A function of NumPy arrays that computes on the backend, compiled.

    Args:
        function: of a tensor ``(size, ...)`` to a tensor ``(size, d)``, without training.
        variables: that it reads.
        size: rows at a time, at most; the last batch is filled up with its last row.

    Returns:
        What takes float32 ``(n, ...)``, n at least 1, and gives float32 ``(n, d)``.
    """
    compiled = backend.compiled(variables, function)

    def called(x: np.ndarray) -> np.ndarray:
        n, outputs = len(x), []
        step = min(size, n)
        pieces = range(0, n, step)
        for start in sharing.own(pieces):
            part = x[np.minimum(np.arange(start, start + step), n - 1)]
            outputs.append(ops.convert_to_numpy(compiled(ops.convert_to_tensor(part))))
        found = sharing.gathered(np.concatenate(outputs), pieces)
        return found[:n].astype("float32", copy=False)

    return called


def three_channels(x: np.ndarray) -> np.ndarray:
    """Pictures ``(n, height, width, 1 or 3)`` with three channels, grey ones three times."""
    return np.repeat(x, 3, axis=-1) if x.shape[-1] == 1 else x
