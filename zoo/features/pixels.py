"""Pixels themselves as features: a sanity check."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

from zoo.plugin.features import Extractor, FeatureSpace
from zoo.plugin.metric import unit


@dataclass(frozen=True)
class Pixels(FeatureSpace):
    """The pixels, in [0, 1]: a sanity check, and no measure of what pictures show.

    On small pictures of CIFAR-10 a blur with a standard deviation of 0.7 pixels, or noise of 10 of
    255, changes the distance no more than the choice of the real pictures does.
    """

    def load(self, data):
        return Extractor(
            "pixels (a sanity check: they do not see a slight blur or noise)",
            hashlib.sha256(b"pixels").hexdigest(),
            math.prod(data.spec.shape),
            lambda x: unit(x).reshape(len(x), -1),
        )
