"""How much smaller codes are than examples, and what is lost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from zoo.metrics.reconstruction import decibels, reconstructed, squared_errors
from zoo.metrics.ssim import WINDOW, similarity
from zoo.plugin.metric import Measured, Metric, chunks, given_label
from zoo.runtime.console import counted

_CODE_BITS = 32


@dataclass(frozen=True)
class Compression(Metric):
    """Bits of an example as it is stored, divided by those of its code in float32.

    Codes are counted as numbers, whatever could be saved by coding them well. Details: MSE and,
    for pictures, PSNR and SSIM, as the metrics of these names have them.
    """

    name: ClassVar[str] = "compression"
    needs: ClassVar[tuple[str, ...]] = ("encode", "reconstruct")
    better: ClassVar[str] = "higher"
    scales_with: ClassVar[tuple[str, ...]] = ("test",)

    def measure(self, model, data, seed):
        first = next(chunks(data.test.first(1)))
        size = model.encode(first.x, labels=first.y).shape[1]
        bits = 8 * data.test.x.dtype.itemsize
        values = math.prod(data.spec.shape)
        return Measured(
            values * bits / (size * _CODE_BITS),
            ": 1",
            f"{counted(values, 'value')} of {bits} bits in {counted(size, 'number')} of "
            f"{_CODE_BITS} bits; details over {counted(len(data.test), 'test example')}"
            f"{given_label(model)}",
            _losses(model, data),
        )


def _losses(model, data):
    errors = reconstructed(model, data.test, squared_errors)
    losses = {"mse": float(errors.mean())}
    if data.spec.is_image:
        losses["psnr"] = float(decibels(errors).mean())
        if min(data.spec.shape[:2]) >= WINDOW:
            losses["ssim"] = float(reconstructed(model, data.test, similarity).mean())
    return losses
