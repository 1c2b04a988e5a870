"""Kernel distance of samples and real pictures (Binkowski et al. 2018)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.metrics.space import SpaceMetric

SUBSET = 1000
"""Pictures of a subset, at most."""


@dataclass(frozen=True)
class KID(SpaceMetric):
    """Squared maximum mean discrepancy of features of samples and of test pictures, unbiased.

    With the kernel (x . y / d + 1)^3 of the kernel Inception distance (Binkowski et al. 2018,
    section 4), the mean over random subsets of 1,000 pictures of each set, or of all where they are
    fewer. Lower is better; it is 0 on average for two sets of one distribution, whatever n is, and
    may fall below. Detail: ``stddev``, the standard deviation over the subsets, where there are
    several.

    Attributes:
        space: the feature space; that of the paper is ``features.Inception``.
        samples: pictures of each set, at most as many as there are test pictures.
        subsets: how many.
    """

    subsets: int = 100

    name: ClassVar[str] = "kid"
    better: ClassVar[str] = "lower"

    def __post_init__(self):
        super().__post_init__()
        self.check_count("subsets", 1, 10_000)

    def title(self):
        return f"Kernel distance (cubic kernel, {self.subsets} subsets of up to {SUBSET:,})"

    def compared(self, real, made, extractor):
        mean, stddev = kid(real, made, subsets=self.subsets)
        return mean, {} if math.isnan(stddev) else {"stddev": stddev}


def kid(
    a: np.ndarray, b: np.ndarray, *, subsets: int = 100, size: int = SUBSET, seed: int = 0
) -> tuple[float, float]:
    """Mean and standard deviation of the unbiased squared MMD of subsets, in float64.

    Where a subset is all of both sets there is one, and its deviation is NaN.

    Args:
        a, b: features ``(n, d)`` and ``(m, d)``, n and m at least 2.
        subsets: how many are drawn, each without repetition.
        size: of a subset, at most.
        seed: of NumPy's ``RandomState``, which draws them.
    """
    size = min(size, len(a), len(b))
    if size == len(a) == len(b):
        return mmd2(a.astype("float64"), b.astype("float64")), math.nan
    rng = np.random.RandomState(seed)
    values = []
    for _ in range(subsets):
        rows = rng.choice(len(a), size, replace=False), rng.choice(len(b), size, replace=False)
        values.append(mmd2(a[rows[0]].astype("float64"), b[rows[1]].astype("float64")))
    return float(np.mean(values)), float(np.std(values))


def mmd2(x: np.ndarray, y: np.ndarray) -> float:
    """The unbiased squared MMD with the cubic kernel (Gretton et al. 2012, equation 3).

    Args:
        x, y: float64 ``(n, d)``, as many of each.
    """
    n = len(x)
    within = 0.0
    for z in (x, y):
        kernel = _cubic(z @ z.T, z.shape[1])
        within += (kernel.sum() - np.trace(kernel)) / (n * (n - 1))
    return float(within - 2 * _cubic(x @ y.T, x.shape[1]).mean())


def _cubic(products: np.ndarray, dimension: int) -> np.ndarray:
    products /= dimension
    products += 1
    return products * products * products
