"""Log-likelihood under a Parzen window of samples (Breuleux et al. 2011)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.metrics.linear_probe import values
from zoo.metrics.neighbours import blocks
from zoo.plugin.limits import MOST_DRAWS
from zoo.plugin.metric import Measured, Metric, chunks
from zoo.runtime.console import counted

_WIDTHS = np.logspace(-1, 0, 10)  # to choose from


@dataclass(frozen=True)
class ParzenWindow(Metric):
    """Mean log-density of test examples under Gaussians centred on samples, in nats.

    Only for figures of GANs and adversarial autoencoders that were published so, by the code of
    Goodfellow et al. (2014): one Gaussian a sample, of the one standard deviation out of ten from
    0.1 to 1 that suits validation examples best. In many dimensions it ranks models badly: samples
    of the data themselves can do worse than centres of clusters (Theis et al. 2016). Pictures are
    in [0, 1]. Details: ``sigma``, the standard deviation chosen, and ``standard_error``, of the
    mean over test examples.

    Attributes:
        samples: how many are drawn.
        examples: validation examples to choose sigma by, at most; the first.
    """

    samples: int = 10_000
    examples: int = 1000

    name: ClassVar[str] = "parzen_window"
    needs: ClassVar[tuple[str, ...]] = ("sample",)
    better: ClassVar[str] = "higher"
    scales_with: ClassVar[tuple[str, ...]] = ("test", "samples")
    order: ClassVar[int] = 2

    def __post_init__(self):
        self.check_count("samples", 1, MOST_DRAWS)
        self.check_count("examples", 1)

    def check(self, data):
        if not len(data.validation):
            raise self.refuse(data, "validation examples, to choose the width by")

    def measure(self, model, data, seed):
        samples = model.sample(self.samples, seed=seed).reshape(self.samples, -1)
        chosen_by = values(data.validation.first(self.examples))
        fit = log_densities(chosen_by, samples, _WIDTHS).mean(axis=0)
        sigma = float(_WIDTHS[fit.argmax()])
        found = np.concatenate(
            [log_densities(values(part), samples, [sigma]) for part in chunks(data.test)]
        )
        return Measured(
            float(found.mean()),
            "nats",
            f"mean over {counted(len(found), 'test example')} of the log-density of Gaussians "
            f"around {counted(len(samples), 'sample')}, whose standard deviation suits "
            f"{counted(len(chosen_by), 'validation example')} best",
            {"sigma": sigma, "standard_error": float(found.std() / math.sqrt(len(found)))},
        )


def log_densities(x, centres, sigmas) -> np.ndarray:
    """Of the mean of Gaussians around the centres, float64 ``(n, number of sigmas)``.

    Args:
        x: ``(n, d)``.
        centres: ``(m, d)``.
        sigmas: standard deviations, each of all Gaussians.
    """
    found = np.empty((len(x), len(sigmas)))
    for rows, distances in blocks(x, centres):
        least = distances.min(axis=1, keepdims=True)
        distances -= least
        for i, sigma in enumerate(sigmas):
            mean = np.exp(distances * (-0.5 / sigma**2)).mean(axis=1)
            found[rows, i] = np.log(mean) - 0.5 * least[:, 0] / sigma**2
    return found - x.shape[1] * np.log(np.asarray(sigmas) * math.sqrt(2 * math.pi))
