"""What metrics of codes against true factors have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.datasets.draws import Draws
from zoo.errors import ZooError
from zoo.plugin.metric import Metric, finite
from zoo.runtime.console import counted

Pair = tuple[np.ndarray, np.ndarray]  # codes and factors

BINS = 20
"""Of equal width, into which real numbers are put (disentanglement_lib: ``num_bins``)."""


@dataclass(frozen=True)
class FactorMetric(Metric):
    """Base of metrics that compare codes with the factors that examples were made from.

    Codes are what ``encode`` gives: for a VAE the posterior's means. Factors are
    ``Split.factors``: places among the values of a factor, or real numbers, which are put into
    20 bins of equal width.
    """

    needs: ClassVar[tuple[str, ...]] = ("encode",)
    better: ClassVar[str] = "higher"

    def check(self, data):
        splits = {"training": data.train, "test": data.test}
        if any(split.factors is None for split in splits.values()):
            raise self.refuse(data, "true factors (Split.factors), as those of sprites")
        varied = {what: (np.ptp(split.factors, axis=0) > 0).sum() for what, split in splits.items()}
        for what, count in varied.items():
            if count < max(2, data.test.factors.shape[1]):
                raise ZooError(
                    f"metric {self.name!r} needs two factors or more, each of which varies, and "
                    f"{data.name} has {count} that vary over its {what} examples"
                )


@dataclass(frozen=True)
class FittedMetric(FactorMetric):
    """Base of those that fit something to training examples and judge it on test examples.

    Attributes:
        examples: training examples to fit to, at most.
        held_out: test examples to judge by, at most.
    """

    examples: int = 10_000
    held_out: int = 5000

    scales_with: ClassVar[tuple[str, ...]] = ("examples", "held_out")

    def __post_init__(self):
        self.check_count("examples", 2)
        self.check_count("held_out", 1)

    def _pairs(self, model, data) -> tuple[Pair, Pair]:
        """Codes and factors of the training and of the test examples, as of ``pairs``.

        Real factors of both are in the bins of the training examples.
        """
        bins = data.train.factors
        return (
            pairs(model, data.train, self.examples, bins),
            pairs(model, data.test, self.held_out, bins),
        )


def pairs(model, split, n: int | None = None, bins=None) -> tuple[np.ndarray, np.ndarray]:
    """Codes float64 ``(n, d)`` and factors int64 ``(n, k)`` of n examples.

    They are the first ones, or drawn ones where the first lack a value of a factor, as they do
    where examples come in the order of their factors.

    Args:
        model: it encodes them.
        split: the examples.
        n: how many; None for all.
        bins: real factors whose bins count, ``(m, k)``; None for those of the n examples.

    Raises:
        NotFinite: a code is not.
    """
    few = split.first(n)
    values, seen = ([len(np.unique(v)) for v in s.factors.T] for s in (split, few))
    if seen != values:
        order = np.argsort(Draws(0, "factors").uniform(len(split)), kind="stable")
        few = split.take(np.sort(order[:n]))
    codes = finite(model.encode(few.x, labels=few.y).astype("float64"), "codes")
    return codes, places(few.factors, bins)


def examples_of(train: Pair, test: Pair) -> str:
    """How many examples, in words; once where they are as many, for a short protocol has fewer."""
    tested, n = counted(len(test[0]), "test example"), len(train[0])
    many = "as many training examples" if n == len(test[0]) else counted(n, "training example")
    return f"{tested} and {many}"


def places(factors, bins=None) -> np.ndarray:
    """Factors as whole numbers, int64 ``(n, k)``: real ones by the bins of ``bins``, or their own.

    What lies beyond the bins is in the first or the last.
    """
    if np.issubdtype(factors.dtype, np.integer):
        return factors.astype("int64")
    return binned(factors, bins)


def binned(values, of=None) -> np.ndarray:
    """The bin of each number, int64 ``(n, d)`` from 1, among those of its column of ``of``."""
    columns = np.asarray(values, "float64").T
    edges = columns if of is None else np.asarray(of, "float64").T
    return np.stack(
        [
            np.maximum(np.digitize(column, np.histogram(own, BINS)[1][:-1]), 1)
            for column, own in zip(columns, edges, strict=True)
        ],
        axis=1,
    )


def mutual_information(codes, factors) -> np.ndarray:
    """I(z_i; v_k) of binned codes and factors in nats, ``(d, k)``, as both are counted."""
    from sklearn.metrics import mutual_info_score

    z = binned(codes)
    return np.array([[mutual_info_score(v, column) for v in factors.T] for column in z.T])


def entropies(factors) -> np.ndarray:
    """H(v_k) in nats, ``(k,)``, as the values are counted."""
    shares = [np.unique(v, return_counts=True)[1] / len(v) for v in factors.T]
    return np.array([-(p * np.log(p)).sum() for p in shares])


def by_factor(data, values) -> dict[str, float]:
    """``{name of a factor: its value}``."""
    names = data.factor_names or [f"factor_{i}" for i in range(len(values))]
    return {name: float(value) for name, value in zip(names, values, strict=True)}
