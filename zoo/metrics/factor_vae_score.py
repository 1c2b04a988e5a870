"""The score of FactorVAE: which code varies least where a factor is fixed (Kim & Mnih 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.datasets.draws import Draws
from zoo.metrics.factors import FactorMetric, examples_of, pairs
from zoo.plugin.metric import Measured

_PRUNED = 0.05  # standard deviation below which a code counts for none


@dataclass(frozen=True)
class FactorVAEScore(FactorMetric):
    """Accuracy of a majority vote on which factor is fixed, in [0, 1].

    A vote fixes a factor at a value, draws a batch of examples that share it, and names the code
    whose variance in the batch, divided by that over all examples, is least (Kim & Mnih 2018,
    section 4). Each code stands for the factor that it is named for most often in the votes on
    training examples; the score is the share of the votes on test examples that fit. Codes of a
    standard deviation below 0.05 take no part; where none is left the score is 0. Batches are
    drawn, with repetition, from so many examples that are encoded once, in place of new examples
    for each vote.

    Attributes:
        votes: on training examples, and half as many on test examples.
        batch: examples in each.
        examples: training and test examples to draw from, at most.
    """

    votes: int = 10_000
    batch: int = 64
    examples: int = 10_000

    name: ClassVar[str] = "factor_vae_score"
    scales_with: ClassVar[tuple[str, ...]] = ("votes", "examples")

    def __post_init__(self):
        self.check_count("votes", 2, 1_000_000)
        self.check_count("batch", 2, 10_000)
        self.check_count("examples", 2)

    def measure(self, model, data, seed):
        train, test = (
            pairs(model, data.train, self.examples),
            pairs(model, data.test, self.examples),
        )
        value = score(train, test, self.votes, self.batch, Draws(seed, "factor_vae_score"))
        return Measured(
            value,
            "",
            f"majority of {self.votes:,} votes of {self.batch} examples each; share of half as "
            f"many new ones that agree; drawn from {examples_of(train, test)}",
            {"active": int(_active(train[0]).sum())},
        )


def score(train, test, votes: int, batch: int, draws: Draws) -> float:
    """The score of two pairs of codes ``(n, d)`` and factors ``(n, k)``."""
    codes, active = train[0], np.flatnonzero(_active(train[0]))
    if not len(active):
        return 0.0
    scale = codes[:, active].var(axis=0, ddof=1)
    learned, judged = (
        _votes(z[:, active] / np.sqrt(scale), v, n, batch, draws)
        for (z, v), n in ((train, votes), (test, votes // 2))
    )
    stands_for = learned.argmax(axis=1)
    return float(judged[np.arange(len(judged)), stands_for].sum() / judged.sum())


def _active(codes):
    return codes.std(axis=0, ddof=1) >= _PRUNED


def _votes(codes, factors, votes, batch, draws) -> np.ndarray:
    """How often each code was named where each factor was fixed, int64 ``(d, k)``."""
    n, count = factors.shape
    found = np.zeros((codes.shape[1], count), "int64")
    alike = [{value: np.flatnonzero(v == value) for value in np.unique(v)} for v in factors.T]
    fixed = zip(draws.integers(votes, count), draws.integers(votes, n), strict=True)
    for (k, row), shares in zip(fixed, draws.uniform((votes, batch)), strict=True):
        rows = alike[k][factors[row, k]]
        drawn = codes[rows[(shares * len(rows)).astype("int64")]]
        found[drawn.var(axis=0).argmin(), k] += 1
    return found
