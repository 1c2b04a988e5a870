"""What a linear classifier reads from the codes, beside what it reads from the pixels."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.errors import ZooError
from zoo.plugin.dataset import Split
from zoo.plugin.metric import Measured, Metric, chunks, finite, labelled, refuse_unlabelled, unit
from zoo.runtime.console import counted

_PENALTY = 0.01  # of half the squared weights, beside the mean cross-entropy


@dataclass(frozen=True)
class LinearProbe(Metric):
    """Test accuracy of a logistic regression on the codes, in [0, 1].

    Of scikit-learn, fitted to some training examples: the mean cross-entropy and 0.005 times
    the squared weights. (With scikit-learn's own penalty, less by far, one on 10,000 pictures
    of MNIST gets worse the longer it is fitted.)
    Features are centred, and divided by one number, the standard deviation of all of them.
    Details: ``on_data``, the accuracy of one on the examples themselves (the pixels, for
    pictures) by the same protocol, and ``ratio``, that on the codes divided by it.

    Attributes:
        examples: training examples that it is fitted to, at most.
    """

    examples: int = 10_000

    name: ClassVar[str] = "linear_probe"
    needs: ClassVar[tuple[str, ...]] = ("encode",)
    better: ClassVar[str] = "higher"
    scales_with: ClassVar[tuple[str, ...]] = ("test", "examples")

    def __post_init__(self):
        self.check_count("examples", 2)

    def check(self, data):
        refuse_unlabelled(self, data, "train", "test")
        two_classes(self, data)

    def measure(self, model, data, seed):
        train, test = two_classes(self, data), labelled(data.test)

        def codes(split):
            return model.encode(split.x, labels=split.y)

        found, itself = (label_accuracy(Probe, of, train, test) for of in (codes, values))
        shown = ", which the model is shown as well" if model.plugin.conditional else ""
        return Measured(
            found,
            "",
            f"share of {counted(len(test), 'test example')} whose label{shown} a logistic "
            f"regression (penalty {_PENALTY:g}) on {counted(len(train), 'training example')} gives",
            {"on_data": itself, "ratio": found / itself if itself else math.nan},
        )


def two_classes(metric, data) -> Split:
    """The labelled training examples that a metric is fitted to, at most ``metric.examples``.

    Raises:
        ZooError: they are of one class.
    """
    train = labelled(data.train).some(metric.examples)
    if len(np.unique(np.asarray(train.y))) < 2:
        raise ZooError(
            f"metric {metric.name!r} needs training examples of two classes, and all "
            f"{len(train):,} of {data.name} that it takes are of one"
        )
    return train


class Probe:
    """A logistic regression on centred features of standard deviation 1 all together.

    Args:
        x: features ``(n, k)``.
        y: labels ``(n,)`` of at least two classes.
    """

    def __init__(self, x, y):
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        x = x.astype("float64")
        self._mean = x.mean(axis=0)
        self._scale = (x - self._mean).std() or 1.0
        self._regression = LogisticRegression(C=1 / (_PENALTY * len(x)), max_iter=1000)
        with warnings.catch_warnings():  # on features that never end, what was reached counts
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._regression.fit(self._scaled(x), y)

    def __call__(self, x) -> np.ndarray:
        """The most probable label of each row."""
        return self._regression.predict(self._scaled(x))

    def _scaled(self, x):
        return (x - self._mean) / self._scale


def label_accuracy(fit, features, train, test) -> float:
    """Share of the test labels that a classifier of features gives.

    Args:
        fit: from features ``(n, k)`` and labels ``(n,)`` to a function from features to labels.
        features: of a split, a function.
        train: labelled examples to fit to.
        test: labelled examples to judge by.
    """
    given = fit(finite(features(train), "codes"), train.y)
    right = [given(finite(features(part), "codes")) == part.y for part in chunks(test)]
    return float(np.concatenate(right).mean())


def values(split) -> np.ndarray:
    """The examples themselves as features, ``(n, k)``."""
    return unit(split.x).reshape(len(split), -1)
