"""What the broken plugins are made from: plugins that pass every check."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from keras import ops

from zoo import Dataset
from zoo.datasets import Data, Split
from zoo.plugin.features import Extractor, FeatureSpace
from zoo.plugin.metric import Measured, Metric, unit
from zoo.plugin.model import DataSpec
from zoo.testing.checks.standin import Small

__all__ = ["Halves", "Numbers", "Share", "Small", "ops"]


@dataclass(frozen=True)
class Numbers(Dataset):
    """Points on a spiral, labelled by turns."""

    def load(self, access=None):
        t = np.linspace(0, 9, 30, dtype="float32")
        x = np.stack([t * np.sin(t), t * np.cos(t)], axis=1)
        y = (np.arange(30) % 3).astype("int32")
        parts = [Split(x[i::3], y[i::3]) for i in range(3)]
        return Data("numbers", DataSpec((2,), 3), *parts)


@dataclass(frozen=True)
class Share(Metric):
    """Mean of the codes' first coordinate."""

    name: ClassVar[str] = "share"
    needs: ClassVar[tuple[str, ...]] = ("encode",)

    def measure(self, model, data, seed):
        value = float(model.encode(data.test.x)[:, 0].mean())
        return Measured(value, "", "mean over the test examples")


@dataclass(frozen=True)
class Halves(FeatureSpace):
    """The mean of each half of a picture, and which of them is brighter."""

    has_classes: ClassVar[bool] = True

    def load(self, data):
        return Extractor("halves", "0" * 64, 2, _halves, _brighter)


def _halves(x):
    left, right = np.split(unit(x), 2, axis=2)
    return np.stack([left.mean(axis=(1, 2, 3)), right.mean(axis=(1, 2, 3))], axis=1)


def _brighter(values):
    e = np.exp(values)
    return e / e.sum(axis=1, keepdims=True)
