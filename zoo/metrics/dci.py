"""Disentanglement, completeness and informativeness (Eastwood & Williams 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.metrics.factors import FittedMetric
from zoo.plugin.metric import Measured
from zoo.runtime.console import counted

_TREES = 50
_TINY = 1e-11  # added to each importance, as in disentanglement_lib


@dataclass(frozen=True)
class DCI(FittedMetric):
    """Disentanglement: whether each code predicts one factor alone, in [0, 1].

    For each factor a random forest predicts its value from the codes: scikit-learn's
    ``RandomForestClassifier`` of 50 trees, which look at all codes for each split. Its feature
    importances make a matrix R of codes by factors. Disentanglement is 1 minus the entropy of a
    row, in units of log k, mean over codes by their share of the importance. Details:
    ``completeness``, the same of the columns: whether one code alone predicts a factor;
    ``informativeness``, the mean accuracy on test examples (Eastwood & Williams 2018, section 2,
    whose regressors are forests too). disentanglement_lib has gradient boosted trees in their
    place, which took twenty times as long on 1,000 examples: its numbers do not compare with these.

    Attributes:
        examples: training examples that classifiers are fitted to, at most.
        held_out: test examples for the accuracy, at most.
    """

    name: ClassVar[str] = "dci"

    def measure(self, model, data, seed):
        train, test = self._pairs(model, data)
        importance, accuracy = importances(*train, *test, seed)
        return Measured(
            disentanglement(importance),
            "",
            f"random forests of {_TREES} trees on {counted(len(train[0]), 'training example')}; "
            f"informativeness on {counted(len(test[0]), 'test example')}",
            {"completeness": completeness(importance), "informativeness": accuracy},
        )


def importances(codes, factors, test_codes, test_factors, seed=0) -> tuple[np.ndarray, float]:
    """How much each code counts in predicting each factor, ``(d, k)``, and the mean accuracy.

    Args:
        codes: ``(n, d)``, to fit to.
        factors: ``(n, k)``, likewise.
        test_codes, test_factors: to judge by.
        seed: of the trees.
    """
    from sklearn.ensemble import RandomForestClassifier

    found, right = [], []
    for v, test_v in zip(factors.T, test_factors.T, strict=True):
        if np.ptp(v) == 0:  # it does not vary among these examples
            found.append(np.zeros(codes.shape[1]))
            right.append(np.mean(test_v == v[0]))
            continue
        forest = RandomForestClassifier(_TREES, max_features=None, random_state=seed % 2**32)
        forest.fit(codes, v)
        found.append(forest.feature_importances_)
        right.append(np.mean(forest.predict(test_codes) == test_v))
    return np.stack(found, axis=1), float(np.mean(right))


def disentanglement(importance) -> float:
    """Of codes by factors ``(d, k)``: 1 where each row has one number."""
    total = importance.sum()
    shares = importance.sum(axis=1) / total if total else np.full(len(importance), 0.0)
    return float((shares * (1 - _entropies(importance))).sum())


def completeness(importance) -> float:
    """Of codes by factors ``(d, k)``: 1 where each column has one number."""
    return disentanglement(importance.T)


def _entropies(rows) -> np.ndarray:
    """Of each row as a distribution, in units of the largest that it can be."""
    size = rows.shape[1]
    if size == 1:
        return np.zeros(len(rows))
    p = (rows + _TINY) / (rows + _TINY).sum(axis=1, keepdims=True)
    return -(p * np.log(p)).sum(axis=1) / np.log(size)
