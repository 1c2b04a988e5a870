"""Distances between sets of features, in blocks of bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_ROWS = 1000  # of a block: 80 MB against 10,000 rows


def blocks(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Squared Euclidean distances, float64, of some rows of a to all of b, until a is done.

    Args:
        a, b: features ``(n, d)`` and ``(m, d)``.

    Yields:
        The rows of a, and their distances ``(rows, m)``.
    """
    b = b.astype("float64")
    lengths = np.einsum("ij,ij->i", b, b)
    for start in range(0, len(a), _ROWS):
        rows = slice(start, min(start + _ROWS, len(a)))
        x = a[rows].astype("float64")
        distances = x @ b.T
        distances *= -2
        distances += lengths
        distances += np.einsum("ij,ij->i", x, x)[:, np.newaxis]
        yield rows, np.maximum(distances, 0, out=distances)


def radii(a: np.ndarray, k: int) -> np.ndarray:
    """Squared distance of each row to its k-th nearest other row, float64 ``(n,)``; n above k."""
    found = np.empty(len(a))
    for rows, distances in blocks(a, a):
        own = np.arange(rows.start, rows.stop)
        distances[own - rows.start, own] = np.inf
        distances.partition(k - 1, axis=1)
        found[rows] = distances[:, k - 1]
    return found


def nearest(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared distance of each row of a to the nearest row of b, float64 ``(n,)``."""
    return np.concatenate([distances.min(axis=1) for _, distances in blocks(a, b)])
