"""Whether a reconstruction is still of the class that the picture was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.metrics.judge import JudgedMetric
from zoo.plugin.metric import Measured, chunks, finite, given_label, labelled, refuse_unlabelled
from zoo.runtime.console import counted


@dataclass(frozen=True)
class LabelKept(JudgedMetric):
    """Share of reconstructed test pictures that a classifier gives the true label, in [0, 1].

    Detail: ``originals``, the share of the test pictures themselves.
    """

    name: ClassVar[str] = "label_kept"
    needs: ClassVar[tuple[str, ...]] = ("reconstruct",)
    better: ClassVar[str] = "higher"
    scales_with: ClassVar[tuple[str, ...]] = ("test",)

    def check(self, data):
        super().check(data)
        refuse_unlabelled(self, data, "test")

    def measure(self, model, data, seed):
        judge = self.judge(data)
        kept, originals, test = [], [], labelled(data.test)
        for part in chunks(test):
            again = finite(model.reconstruct(part.x, labels=part.y), "reconstructions")
            kept.append(judge(again).argmax(axis=1) == part.y)
            originals.append(judge(part.x).argmax(axis=1) == part.y)
        return Measured(
            float(np.concatenate(kept).mean()),
            "",
            f"{counted(len(test), 'test picture')} reconstructed{given_label(model)}; "
            f"classifier {judge.name}",
            {"originals": float(np.concatenate(originals).mean())},
            facts=judge.facts,
        )
