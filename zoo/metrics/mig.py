"""Mutual information gap: whether each factor is in one code alone (Chen et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.metrics.factors import FactorMetric, by_factor, entropies, mutual_information, pairs
from zoo.plugin.metric import Measured
from zoo.runtime.console import counted


@dataclass(frozen=True)
class MIG(FactorMetric):
    """Mean over factors of (I(z_1; v) - I(z_2; v)) / H(v), in [0, 1].

    z_1 and z_2 are the two dimensions of the code with the largest mutual information with the
    factor v (Chen et al. 2018, equation 6), on histograms of 20 bins, as disentanglement_lib
    (Locatello et al. 2019) has it. Details: the gap of each factor.

    Attributes:
        held_out: test examples, at most.
    """

    held_out: int = 10_000

    name: ClassVar[str] = "mig"
    scales_with: ClassVar[tuple[str, ...]] = ("held_out",)

    def __post_init__(self):
        self.check_count("held_out", 2)

    def measure(self, model, data, seed):
        codes, factors = pairs(model, data.test, self.held_out)
        found = gaps(codes, factors)
        return Measured(
            float(found.mean()),
            "",
            f"{counted(len(codes), 'test example')}, codes in 20 bins",
            by_factor(data, found),
        )


def gaps(codes, factors) -> np.ndarray:
    """The gap of each factor, ``(k,)``, of codes ``(n, d)`` and factors ``(n, k)``."""
    information = np.sort(mutual_information(codes, factors), axis=0)[::-1]
    second = information[1] if len(information) > 1 else 0.0
    entropy = entropies(factors)  # 0 for one that does not vary among these examples
    return np.where(entropy > 0, (information[0] - second) / np.where(entropy > 0, entropy, 1), 0.0)
