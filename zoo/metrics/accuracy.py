"""How often a classifier is right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.plugin.metric import Measured, Metric, chunks, labelled, refuse_unlabelled
from zoo.runtime.console import counted


@dataclass(frozen=True)
class Accuracy(Metric):
    """Share of test examples whose most probable class is their label, in [0, 1]."""

    name: ClassVar[str] = "accuracy"
    needs: ClassVar[tuple[str, ...]] = ("classify",)
    better: ClassVar[str] = "higher"
    scales_with: ClassVar[tuple[str, ...]] = ("test",)

    def check(self, data):
        refuse_unlabelled(self, data, "test")

    def measure(self, model, data, seed):
        test = labelled(data.test)
        right = [model.classify(part.x).argmax(axis=1) == part.y for part in chunks(test)]
        share = float(np.concatenate(right).mean())
        return Measured(share, "", f"{counted(len(test), 'test example')}, the most probable class")
