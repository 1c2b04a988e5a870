"""Pictures in [0, 1] and in the range that a model takes them in."""

from __future__ import annotations

import numpy as np


def from_unit(x: np.ndarray, limits: tuple[float, float] | None) -> np.ndarray:
    """Pictures uint8 or in [0, 1] as float32 in a range; None leaves values as they are."""
    if not limits:
        return x.astype("float32")
    low, high = limits
    unit = x.astype("float32") / (255 if x.dtype == np.uint8 else 1)
    return unit * (high - low) + low


def to_unit(x: np.ndarray, limits: tuple[float, float] | None) -> np.ndarray:
    """Pictures ``(n, h, w, c)`` of a range in [0, 1], cut off there; other arrays as they are."""
    if not limits or x.ndim != 4:
        return x
    low, high = limits
    if (low, high) == (0, 1):
        return np.clip(x, 0, 1)
    unit = x - low
    unit /= high - low  # in one array: more of them would cost as much as a small network
    return np.clip(unit, 0, 1, out=unit)
