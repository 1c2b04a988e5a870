"""How many samples a classifier recognizes, and whether it sees every class in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.errors import ZooError
from zoo.metrics.judge import JudgedMetric
from zoo.plugin.limits import MOST_DRAWS
from zoo.plugin.metric import Measured, chunks, finite
from zoo.runtime.console import counted


@dataclass(frozen=True)
class Recognition(JudgedMetric):
    """Share of samples that a classifier is confident of, in [0, 1].

    Confidence is the largest of its probabilities. Details: ``real``, the share of the test
    pictures that it is confident of; ``class_0`` and so on, the share of the samples that it
    takes for each class, whether confident or not; ``least_class``, the smallest of them.
    Labels of a conditional model are its classes in turn; ``asked`` is the share of its samples
    that the classifier takes for the class asked for.

    Attributes:
        samples: how many are drawn.
        confidence: it has to be above this, in [0, 1).
    """

    samples: int = 1000
    confidence: float = 0.9

    name: ClassVar[str] = "recognition"
    needs: ClassVar[tuple[str, ...]] = ("sample",)
    better: ClassVar[str] = "higher"
    scales_with: ClassVar[tuple[str, ...]] = ("test", "samples")

    def __post_init__(self):
        self.check_count("samples", 1, MOST_DRAWS)
        if not 0 <= self.confidence < 1:
            raise ZooError(f"Recognition: confidence is in [0, 1), not {self.confidence}")

    def measure(self, model, data, seed):
        judge = self.judge(data)
        judged = judge(finite(model.sample(self.samples, seed=seed), "samples"))
        real = np.concatenate([judge(part.x).max(axis=1) for part in chunks(data.test)])
        taken = judged.argmax(axis=1)
        classes = np.bincount(taken, minlength=judged.shape[1]) / len(judged)
        asked = {}
        if model.plugin.conditional:
            in_turn = np.arange(self.samples) % model.data.classes
            asked["asked"] = float((taken == in_turn).mean())
        return Measured(
            float((judged.max(axis=1) > self.confidence).mean()),
            "",
            f"{counted(self.samples, 'sample')} with a confidence above {self.confidence:g}; "
            f"real of {counted(len(real), 'test picture')}; classifier {judge.name}",
            {
                "real": float((real > self.confidence).mean()),
                **asked,
                "least_class": float(classes.min()),
                **{f"class_{label}": float(share) for label, share in enumerate(classes)},
            },
            facts=judge.facts,
        )
