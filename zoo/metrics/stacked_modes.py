"""Modes of Stacked MNIST that a model's samples reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.metrics.judge import JudgedMetric
from zoo.plugin.limits import MOST_DRAWS
from zoo.plugin.metric import Measured, finite
from zoo.plugin.model import DataSpec
from zoo.runtime.console import counted


@dataclass(frozen=True)
class StackedModes(JudgedMetric):
    """Numbers of three digits that a classifier reads from the channels of samples, of 1,000.

    The protocol of VEEGAN and PacGAN (Srivastava et al. 2017; Lin et al. 2018, section 4.2):
    26,000 samples, each channel classified for itself by a classifier of digits; a number
    counts with at least one sample.

    Attributes:
        samples: how many are drawn.
    """

    samples: int = 26_000

    name: ClassVar[str] = "stacked_modes"
    needs: ClassVar[tuple[str, ...]] = ("sample",)
    better: ClassVar[str] = "higher"
    scales_with: ClassVar[tuple[str, ...]] = ("samples",)
    on_test: ClassVar[bool] = False

    def __post_init__(self):
        self.check_count("samples", 1, MOST_DRAWS)

    def judged(self, spec):
        return DataSpec((*spec.shape[:2], 1), classes=10)

    def check(self, data):
        super().check(data)
        if (data.spec.shape[2], data.spec.classes) != (3, 1000):
            raise self.refuse(data, "pictures of three digits in 1,000 classes")

    def measure(self, model, data, seed):
        judge = self.judge(data)
        samples = finite(model.sample(self.samples, seed=seed), "samples")
        digits = [judge(samples[..., i : i + 1]).argmax(axis=1) for i in range(3)]
        numbers = np.array([100, 10, 1]) @ np.stack(digits)
        return Measured(
            len(np.unique(numbers)),
            "of 1,000 modes",
            f"{counted(self.samples, 'sample')}, each channel read by classifier {judge.name}",
            facts=judge.facts,
        )
