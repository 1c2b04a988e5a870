"""One number an example."""

from __future__ import annotations

from keras import ops


def summed(x):
    """Sum over all axes but the first: ``(n, ...)`` to ``(n,)``."""
    return ops.sum(ops.reshape(x, (ops.shape(x)[0], -1)), axis=1)


def averaged(x):
    """Mean over all axes but the first: ``(n, ...)`` to ``(n,)``."""
    return ops.mean(ops.reshape(x, (ops.shape(x)[0], -1)), axis=1)
