"""How unlike what a model has learned examples are: a score per example, high for odd ones."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.metrics.likelihood import bounds
from zoo.metrics.reconstruction import reconstructed, squared_errors
from zoo.plugin.dataset import Split
from zoo.reports.pictures import compare, is_picture
from zoo.reports.views import Shown
from zoo.runtime.console import counted
from zoo.runtime.waiting import waiting


def scores(model: Any, split: Split, by: str, samples: int, seed: int) -> np.ndarray:
    """The score of each example, float64 ``(n,)``.

    Args:
        model: one that can ``log_likelihood`` or ``reconstruct``.
        split: the examples.
        by: ``"likelihood"``, minus the importance-weighted bound of log p(x) in nats, or
            ``"error"``, the mean squared error of the reconstruction.
        samples: importance samples of the bound.
        seed: of these.
    """
    with waiting(f"scoring {counted(len(split), 'example')}"):
        if by == "error":
            return reconstructed(model, split, squared_errors)
        return -bounds(model, split, samples, seed)


def ranked(values: np.ndarray) -> np.ndarray:
    """Rows from the highest score to the lowest; what is not a number counts as the highest."""
    return np.argsort(-_ordered(values), kind="stable")


def median(values: np.ndarray) -> float:
    """The score in the middle of ``ranked``."""
    return float(np.median(_ordered(values)))


def auroc(odd: np.ndarray, usual: np.ndarray) -> float:
    """The probability that an odd example scores higher than a usual one; ties count half."""
    usual, odd = np.sort(_ordered(usual)), _ordered(odd)
    below = [np.searchsorted(usual, odd, side) for side in ("left", "right")]
    return float(np.mean(below) / len(usual))


def _ordered(values: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(values), np.inf, values)


def extremes(split: Split, order: np.ndarray, n: int) -> Shown:
    """The n examples with the highest scores, above as many with the lowest."""
    n = min(n, len(order))
    highest, lowest = (np.asarray(split.take(rows).x) for rows in (order[:n], order[::-1][:n]))
    image = None
    if is_picture(highest.shape[1:]):
        image = compare({"highest": highest, "lowest": lowest})
    return Shown(highest, image)


def table(names: Sequence[str], values: np.ndarray, order: np.ndarray) -> str:
    """Comma-separated ``rank,score,example``, the highest score first."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["rank", "score", "example"])
    rows.writerows((i + 1, repr(float(values[r])), names[r]) for i, r in enumerate(order))
    return out.getvalue()
