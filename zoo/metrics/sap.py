"""Separated attribute predictability (Kumar et al. 2018)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.metrics.factors import FittedMetric, by_factor
from zoo.plugin.metric import Measured
from zoo.runtime.console import counted


@dataclass(frozen=True)
class SAP(FittedMetric):
    """Mean over factors of how much better the best code predicts one than the next, in [0, 1].

    A code predicts a factor by scikit-learn's ``LinearSVC`` on that one number (C = 0.01, classes
    of one weight together), as in disentanglement_lib; what counts is the difference of the two
    best accuracies on test examples (Kumar et al. 2018, section 3). A linear classifier of one
    number finds few of many classes, so values are small. Details: the gap of each factor.

    Attributes:
        examples: training examples that classifiers are fitted to, at most.
        held_out: test examples for the accuracies, at most.
    """

    name: ClassVar[str] = "sap"

    def measure(self, model, data, seed):
        train, test = self._pairs(model, data)
        found = gaps(accuracies(*train, *test, seed))
        return Measured(
            float(found.mean()),
            "",
            f"linear classifiers on {counted(len(train[0]), 'training example')}, their accuracy "
            f"on {counted(len(test[0]), 'test example')}",
            by_factor(data, found),
        )


def accuracies(codes, factors, test_codes, test_factors, seed=0) -> np.ndarray:
    """How well each code alone predicts each factor, ``(d, k)``.

    Args:
        codes: ``(n, d)``, to fit to.
        factors: ``(n, k)``, likewise.
        test_codes, test_factors: to judge by.
        seed: of the solver.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    found = np.zeros((codes.shape[1], factors.shape[1]))
    with warnings.catch_warnings():  # what was reached counts
        warnings.simplefilter("ignore", ConvergenceWarning)
        for i, k in np.ndindex(found.shape):
            if np.ptp(factors[:, k]) == 0:  # all codes predict what does not vary
                continue
            svc = LinearSVC(C=0.01, class_weight="balanced", random_state=seed % 2**32)
            svc.fit(codes[:, i : i + 1], factors[:, k])
            found[i, k] = np.mean(svc.predict(test_codes[:, i : i + 1]) == test_factors[:, k])
    return found


def gaps(accuracy) -> np.ndarray:
    """Of codes by factors ``(d, k)``, the difference of the two best of each factor, ``(k,)``."""
    best = np.sort(accuracy, axis=0)[::-1]
    return best[0] - (best[1] if len(best) > 1 else 0.0)
