"""Precision, recall, density and coverage of samples (Naeem et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.metrics.neighbours import blocks, radii
from zoo.metrics.space import SpaceMetric


@dataclass(frozen=True)
class PRDC(SpaceMetric):
    """Coverage of the test pictures by samples, beside precision, recall and density.

    Around each picture is a ball that reaches to its k-th nearest neighbour in the same set,
    without its border. Coverage, the value, is the share of test pictures with a sample in their
    ball (Naeem et al. 2020, equation 4). Details: ``precision``, the share of samples in the ball
    of a test picture, and ``recall``, the share of test pictures in the ball of a sample
    (Kynkaanniemi et al. 2019); ``density``, the mean number of balls of test pictures that a
    sample is in, divided by k (Naeem et al. 2020, equation 3). Higher is better. Two sets of one
    distribution have a coverage of about 1 - 2^-k.

    Attributes:
        space: the feature space.
        samples: pictures of each set, at most as many as there are test pictures.
        k: which neighbour.
    """

    k: int = 5

    name: ClassVar[str] = "prdc"
    better: ClassVar[str] = "higher"
    unit: ClassVar[str] = "coverage"
    order: ClassVar[int] = 2

    def __post_init__(self):
        super().__post_init__()
        self.check_count("k", 1, 1000)

    def least(self, extractor):
        return self.k + 1

    def title(self):
        return f"Coverage, and precision, recall and density (k = {self.k})"

    def compared(self, real, made, extractor):
        found = prdc(real, made, self.k)
        return found.pop("coverage"), found


def prdc(real: np.ndarray, made: np.ndarray, k: int) -> dict[str, float]:
    """``{"precision": ..., "recall": ..., "density": ..., "coverage": ...}`` of two sets.

    Args:
        real, made: features ``(n, d)`` and ``(m, d)``, n and m above k.
        k: which neighbour.
    """
    of_real, of_made = radii(real, k), radii(made, k)
    inside = np.zeros(len(made))  # balls of real pictures that each sample is in
    recalled = covered = 0
    for rows, distances in blocks(real, made):
        within = distances < of_real[rows, np.newaxis]
        inside += within.sum(axis=0)
        covered += int(within.any(axis=1).sum())
        recalled += int((distances < of_made).any(axis=1).sum())
    return {
        "precision": float((inside > 0).mean()),
        "recall": recalled / len(real),
        "density": float(inside.mean() / k),
        "coverage": covered / len(real),
    }
