"""Numbers for data that are made rather than read: the same in every NumPy release."""

from __future__ import annotations

import math

import numpy as np

from zoo.random import host


class Draws:
    """Draws from Philox on the host, one after the other, keyed by a seed and what they are for.

    NumPy's own ``Generator`` may change its numbers with a release; the bits of Philox do not.
    """

    def __init__(self, seed: int, *names: str | int):
        self._bits = host(seed, *names)

    def uniform(self, shape: int | tuple[int, ...]) -> np.ndarray:
        """Float64 numbers in the open interval (0, 1)."""
        raw = self._bits.random_raw(int(np.prod(shape)))
        return (((raw >> np.uint64(11)) + 0.5) * 2.0**-53).reshape(shape)

    def normal(self, shape: int | tuple[int, ...]) -> np.ndarray:
        """Float64 standard normal numbers, by Box and Muller."""
        radius = np.sqrt(-2.0 * np.log(self.uniform(shape)))
        return radius * np.cos(2.0 * math.pi * self.uniform(shape))

    def integers(self, shape: int | tuple[int, ...], high: int) -> np.ndarray:
        """Int32 numbers from 0 to ``high`` - 1."""
        # The largest uniform number is below 1 by 2**-54, which a product may round away.
        return np.minimum(self.uniform(shape) * high, high - 1).astype(np.int32)
