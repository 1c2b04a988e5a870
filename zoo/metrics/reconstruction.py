"""How far reconstructions are from the test examples: MSE and PSNR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.plugin.metric import Measured, Metric, chunks, given_label, unit
from zoo.runtime.console import counted

ROUNDING = (1 / 255) ** 2 / 12
"""The mean squared error of rounding to 256 levels, below which no picture counts."""


@dataclass(frozen=True)
class MSE(Metric):
    """Mean squared error of reconstructions, over all values of all test examples.

    Pictures are in [0, 1]. Lower is better.
    """

    name: ClassVar[str] = "mse"
    needs: ClassVar[tuple[str, ...]] = ("reconstruct",)
    better: ClassVar[str] = "lower"
    scales_with: ClassVar[tuple[str, ...]] = ("test",)

    def measure(self, model, data, seed):
        errors = reconstructed(model, data.test, squared_errors)
        return Measured(
            float(errors.mean()),
            "",
            f"mean over {counted(len(errors), 'test example')}"
            + (", pixels in [0, 1]" if data.spec.is_image else "")
            + given_label(model),
        )


@dataclass(frozen=True)
class PSNR(Metric):
    """Peak signal-to-noise ratio of reconstructed pictures, mean over them, in decibels.

    10 log10(1 / MSE) for pixels in [0, 1]. A picture counts at most the 58.9 dB of rounding
    to 256 levels. Higher is better.
    """

    name: ClassVar[str] = "psnr"
    needs: ClassVar[tuple[str, ...]] = ("reconstruct",)
    better: ClassVar[str] = "higher"
    scales_with: ClassVar[tuple[str, ...]] = ("test",)

    def check(self, data):
        if not data.spec.is_image:
            raise self.refuse(data, "pictures")

    def measure(self, model, data, seed):
        values = decibels(reconstructed(model, data.test, squared_errors))
        return Measured(
            float(values.mean()),
            "dB",
            f"mean over {counted(len(values), 'test picture')}, peak 1{given_label(model)}",
        )


def squared_errors(x, y) -> np.ndarray:
    """Mean squared difference of each pair of examples, float64 ``(n,)``."""
    difference = x.astype("float64") - y
    return np.mean(difference**2, axis=tuple(range(1, difference.ndim)))


def decibels(errors) -> np.ndarray:
    """PSNR of mean squared errors of pictures in [0, 1]."""
    return -10 * np.log10(np.maximum(errors, ROUNDING))


def reconstructed(model, split, compare) -> np.ndarray:
    """``compare(x, reconstruction)``, ``(n,)``, of examples and their reconstructions."""
    found = []
    for part in chunks(split):
        again = model.reconstruct(part.x, labels=part.y)
        found.append(compare(unit(part.x), again))
    return np.concatenate(found)
