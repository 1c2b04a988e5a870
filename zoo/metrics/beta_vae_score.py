"""The score of beta-VAE: which factor two examples share, by their codes (Higgins et al. 2017)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.datasets.draws import Draws
from zoo.errors import ZooError
from zoo.metrics.factors import FactorMetric, examples_of, pairs
from zoo.plugin.metric import Measured
from zoo.runtime.console import counted


@dataclass(frozen=True)
class BetaVAEScore(FactorMetric):
    """Accuracy of a linear classifier that names the factor which is fixed, in [0, 1].

    A point fixes a factor, draws a batch of pairs of examples that share its value, and is the
    mean over the batch of the absolute differences of their codes (Higgins et al. 2017, section
    3). scikit-learn's logistic regression is fitted to points of training examples, as in
    disentanglement_lib; the score is the share of points of test examples whose factor it names.
    It is 1 as well where no code has one of the factors (Kim & Mnih 2018, section 4). Pairs are
    drawn, with repetition, from so many examples that are encoded once, in place of new examples
    for each point. Detail: ``chance``, one out of the number of factors.

    Attributes:
        points: of training examples, and half as many of test examples.
        batch: pairs in each.
        examples: training and test examples to draw from, at most.
    """

    points: int = 10_000
    batch: int = 64
    examples: int = 10_000

    name: ClassVar[str] = "beta_vae_score"
    scales_with: ClassVar[tuple[str, ...]] = ("points", "examples")

    def __post_init__(self):
        self.check_count("points", 2, 1_000_000)
        self.check_count("batch", 1, 10_000)
        self.check_count("examples", 2)

    def measure(self, model, data, seed):
        train, test = (
            pairs(model, data.train, self.examples),
            pairs(model, data.test, self.examples),
        )
        value = score(train, test, self.points, self.batch, Draws(seed, "beta_vae_score"))
        return Measured(
            value,
            "",
            f"logistic regression on {self.points:,} points, each of "
            f"{counted(self.batch, 'pair')}; share of half as many new ones whose factor it names; "
            f"drawn from {examples_of(train, test)}",
            {"chance": 1 / train[1].shape[1]},
        )


def score(train, test, points: int, batch: int, draws: Draws) -> float:
    """The score of two pairs of codes ``(n, d)`` and factors ``(n, k)``."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    (x, y), (test_x, test_y) = (
        _points(codes, factors, n, batch, draws)
        for (codes, factors), n in ((train, points), (test, points // 2))
    )
    regression = LogisticRegression(max_iter=1000)
    with warnings.catch_warnings():  # what was reached counts
        warnings.simplefilter("ignore", ConvergenceWarning)
        regression.fit(x, y)
    return float((regression.predict(test_x) == test_y).mean())


def _points(codes, factors, n, batch, draws) -> tuple[np.ndarray, np.ndarray]:
    """Mean differences of codes ``(n, d)``, and the factor that was fixed, ``(n,)``."""
    fixed = np.arange(n) % factors.shape[1]  # each as often
    found = np.empty((n, codes.shape[1]))
    for k, values in enumerate(factors.T):
        order = np.argsort(values, kind="stable")
        _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
        starts = np.cumsum(sizes) - sizes
        in_pairs = np.flatnonzero(sizes[group] > 1)
        if not len(in_pairs):
            raise ZooError(
                f"metric 'beta_vae_score' needs pairs of examples with one value of a factor, and "
                f"among {len(codes):,} all values of factor {k} differ"
            )
        ranks = np.argsort(order)
        for place in np.flatnonzero(fixed == k):
            rows = in_pairs[draws.integers(batch, len(in_pairs))]
            own, shares = group[rows], draws.uniform(batch)
            # another one of the group: no difference is 0 since it is of an example with itself
            further = ranks[rows] - starts[own] + 1 + (shares * (sizes[own] - 1)).astype("int64")
            others = order[starts[own] + further % sizes[own]]
            found[place] = np.abs(codes[rows] - codes[others]).mean(axis=0)
    return found, fixed
