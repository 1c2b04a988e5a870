"""Whether samples are copies of training pictures (Meehan et al. 2020)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.features.extraction import Sets
from zoo.metrics.neighbours import nearest
from zoo.metrics.space import SpaceMetric, facts
from zoo.plugin.limits import MOST_COUNT
from zoo.plugin.metric import Measured
from zoo.runtime.console import counted


@dataclass(frozen=True)
class Memorisation(SpaceMetric):
    """How often a sample is nearer to the training pictures than a test picture is, in [0, 1].

    The distance of each sample to its nearest training picture, against that of each test
    picture: the share of all pairs in which the sample's is smaller, ties counting half. That is 1
    minus the statistic of Meehan, Chaudhuri & Dasgupta (2020, section 3): 0.5 for samples as far
    from the training pictures as held-out pictures are, 1 for copies, and below 0.5 for samples
    that miss the data. Detail: ``z``, the same as a Mann-Whitney z-score, negative for copies as
    in the paper (its C_T with one cell): below -3 is no chance.

    A copy of a training picture beyond ``examples`` is not seen.

    Attributes:
        space: the feature space.
        samples: samples, and as many test pictures, at most as many as there are.
        examples: training pictures, at most.
    """

    examples: int = 60_000

    name: ClassVar[str] = "memorisation"
    scales_with: ClassVar[tuple[str, ...]] = ("samples", "examples")
    order: ClassVar[int] = 2

    def __post_init__(self):
        super().__post_init__()
        self.check_count("examples", 1, MOST_COUNT)

    def measure(self, model, data, seed):
        extractor = self.space.load(data)
        n = min(self.samples, len(data.test))
        sets = Sets(extractor, data, n, seed)
        train = sets.train(self.examples)
        made, held_out = (nearest(x, train) for x in (sets.samples(model), sets.test()))
        share, z = nearer(made, held_out)
        return Measured(
            share,
            "",
            f"share of the pairs of {counted(n, 'sample')} and as many test pictures in which the "
            f"sample is nearer to its nearest of {counted(len(train), 'training picture')}, in "
            f"{extractor.name}; 0.5 is as held-out pictures, 1 is copies",
            {"z": z},
            facts=facts(extractor),
        )


def nearer(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Share of pairs in which a is below b, ties counting half; and Mann-Whitney's z of a.

    Args:
        a, b: numbers ``(n,)`` and ``(m,)``.
    """
    n, m = len(a), len(b)
    ordered = np.sort(b)
    below, upto = (np.searchsorted(ordered, a, side) for side in ("left", "right"))
    above = m - (below + upto) / 2  # how many of b are above each of a
    share = float(above.sum() / (n * m))
    _, ties = np.unique(np.concatenate([a, b]), return_counts=True)
    total = n + m
    correction = float((ties.astype("float64") ** 3 - ties).sum()) / (total * (total - 1))
    deviation = math.sqrt(n * m / 12 * (total + 1 - correction))
    z = (0.5 - share) * n * m / deviation if deviation else 0.0
    return share, z
