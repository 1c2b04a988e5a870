"""Whether each code is about one factor alone (Ridgeway & Mozer 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.metrics.factors import FactorMetric, mutual_information, pairs
from zoo.plugin.metric import Measured
from zoo.runtime.console import counted


@dataclass(frozen=True)
class Modularity(FactorMetric):
    """Mean over codes of how far each is from being about one factor alone, in [0, 1].

    For code i with mutual information m_if, 1 - sum_{f != best} m_if^2 / (m_i,best^2 (k - 1))
    (Ridgeway & Mozer 2018, section 3), on histograms of 20 bins, as disentanglement_lib has it.
    A code with no information counts 0. A factor may be in several codes.

    Attributes:
        held_out: test examples, at most.
    """

    held_out: int = 10_000

    name: ClassVar[str] = "modularity"
    scales_with: ClassVar[tuple[str, ...]] = ("held_out",)

    def __post_init__(self):
        self.check_count("held_out", 2)

    def measure(self, model, data, seed):
        codes, factors = pairs(model, data.test, self.held_out)
        found = modularities(mutual_information(codes, factors))
        return Measured(
            float(found.mean()), "", f"{counted(len(codes), 'test example')}, codes in 20 bins"
        )


def modularities(information) -> np.ndarray:
    """Of each code, ``(d,)``, from the mutual information ``(d, k)``."""
    squares = information**2
    best = squares.max(axis=1)
    others = (squares.sum(axis=1) - best) / (squares.shape[1] - 1)
    return np.where(best > 0, 1 - others / np.where(best > 0, best, 1), 0.0)
