"""One number an example."""

from __future__ import annotations

from keras import ops


def rows(x):
    """Each example in a row: ``(n, ...)`` to ``(n, d)``.

    Losses of pictures work on these: XLA's loops over a last axis of a channel or three are slow
    on a CPU.
    """
    return x if len(x.shape) == 2 else ops.reshape(x, (ops.shape(x)[0], -1))


def summed(x):
    """Sum over all axes but the first: ``(n, ...)`` to ``(n,)``."""
    return ops.sum(rows(x), axis=1)


def averaged(x):
    """Mean over all axes but the first: ``(n, ...)`` to ``(n,)``."""
    return ops.mean(rows(x), axis=1)
