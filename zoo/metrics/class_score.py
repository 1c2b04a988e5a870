"""How sure and how varied the classes of samples are (Salimans et al. 2016)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.features import Inception
from zoo.metrics.space import SpaceMetric

SPLITS = 10


@dataclass(frozen=True)
class ClassScore(SpaceMetric):
    """Score of the classes that a feature space sees in samples: from 1 to the number of classes.

    exp E[KL(p(y|x) || p(y))] (Salimans et al. 2016), mean over 10 parts of the samples in random
    order. It is high where the class of each sample is sure and all classes are made alike; it does
    not look at real pictures. Detail: ``stddev`` over the parts.

    Attributes:
        space: the feature space, with classes; that of Inception has ``InceptionScore``.
        samples: how many, at most as many as there are test pictures.
    """

    name: ClassVar[str] = "class_score"
    better: ClassVar[str] = "higher"
    of_classes: ClassVar[bool] = True
    against_real: ClassVar[bool] = False
    in_inception: ClassVar[str] = "InceptionScore"

    def title(self):
        return f"Score ({SPLITS} parts) of the classes"

    def least(self, extractor):
        return SPLITS

    def compared(self, real, made, extractor):
        mean, stddev = class_score(extractor.probabilities(made))
        return mean, {"stddev": stddev}


@dataclass(frozen=True)
class InceptionScore(ClassScore):
    """Inception score: ``ClassScore`` with the 1,008 classes of Inception.

    Attributes:
        space: of Inception.
        samples: how many, at most as many as there are test pictures. Publications mostly have
            50,000.
    """

    space: Inception = Inception()

    name: ClassVar[str] = "inception_score"
    in_inception: ClassVar[str] = ""


def class_score(
    probabilities: np.ndarray, *, splits: int = SPLITS, seed: int = 0
) -> tuple[float, float]:
    """Mean and standard deviation of the score over parts, in float64.

    Args:
        probabilities: of classes, ``(n, classes)``, n at least ``splits``.
        splits: parts of the examples.
        seed: of NumPy's ``RandomState``, which draws their order.
    """
    n = len(probabilities)
    order = np.random.RandomState(seed).permutation(n)
    p = probabilities[order].astype("float64")
    scores = []
    for i in range(splits):
        part = p[i * n // splits : (i + 1) * n // splits]
        ratio = np.log(np.maximum(part, 1e-300)) - np.log(np.maximum(part.mean(axis=0), 1e-300))
        scores.append(np.exp((part * ratio).sum(axis=1).mean()))
    return float(np.mean(scores)), float(np.std(scores))
