"""Packing, against mode collapse: a discriminator judges several examples together."""

from __future__ import annotations

import math
from collections.abc import Sequence

from keras import ops


def pack(x, size: int):
    """Put neighbours side by side in the last axis (PacGAN, Lin et al. 2018, section 3.1).

    Args:
        x: tensor ``(n, ..., c)``.
        size: examples in a pack.

    Returns:
        ``(ceil(n / size), ..., size * c)``; the first examples fill up the last pack.
    """
    n = ops.shape(x)[0]
    packs = (n + size - 1) // size
    x = ops.take(x, ops.arange(packs * size) % n, axis=0)
    x = ops.moveaxis(ops.reshape(x, (packs, size, *x.shape[1:])), 1, -2)
    return ops.reshape(x, (packs, *x.shape[1:-2], math.prod(x.shape[-2:])))


def packed(shape: Sequence[int], size: int) -> tuple[int, ...]:
    """The shape of a pack of examples of a shape."""
    return (*shape[:-1], shape[-1] * size)
