"""Noise of several Gaussians, for data that lie apart."""

from __future__ import annotations

from typing import Any

from keras import ops

from zoo.random import Generator

RADIUS = 4.0  # standard deviations from 0, which keeps two of them 5.7 apart


def gaussians(rng: Generator, n: Any, dimension: int, components: int) -> Any:
    """Draws from Gaussians with equal chances, of variance 1, each around a point of its own axis.

    The static mixture of Ben-Yosef & Weinshall 2018, with means on the axes.

    Args:
        rng: draws.
        n: how many.
        dimension: of each.
        components: Gaussians, at most as many as ``dimension``; one alone lies around 0.

    Returns:
        float32 ``(n, dimension)``.
    """
    z = rng.normal((n, dimension))
    if components == 1:
        return z
    return z + RADIUS * ops.one_hot(rng.integers((n,), 0, components), dimension)
