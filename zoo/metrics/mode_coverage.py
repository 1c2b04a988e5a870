"""Modes of a known mixture that a model's samples reach (PacGAN's protocol)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.plugin.limits import MOST_DRAWS
from zoo.plugin.metric import Measured, Metric
from zoo.runtime.console import counted


@dataclass(frozen=True)
class ModeCoverage(Metric):
    """Modes of a mixture of Gaussians that samples reach, and the share of good samples.

    The protocol of PacGAN (Lin et al. 2018, section 4.1): a sample is of high quality within 3
    standard deviations of the nearest mode's centre, and a mode counts with at least one such
    sample. Detail: ``high_quality``, the share of these samples.

    Attributes:
        samples: how many are drawn.
    """

    samples: int = 2500

    name: ClassVar[str] = "mode_coverage"
    needs: ClassVar[tuple[str, ...]] = ("sample",)
    better: ClassVar[str] = "higher"
    scales_with: ClassVar[tuple[str, ...]] = ("samples",)
    on_test: ClassVar[bool] = False

    def __post_init__(self):
        self.check_count("samples", 1, MOST_DRAWS)

    def check(self, data):
        if data.modes is None:
            raise self.refuse(data, "a mixture of known modes, such as ring or grid")

    def measure(self, model, data, seed):
        reached, good = coverage(model.sample(self.samples, seed=seed), data.modes)
        return Measured(
            reached,
            f"of {counted(len(data.modes.centres), 'mode')}",
            f"{counted(self.samples, 'sample')}; a mode counts with one within 3 standard "
            "deviations of its centre, and high_quality is the share of such samples",
            {"high_quality": good},
        )


def coverage(samples, modes) -> tuple[int, float]:
    """Modes with a sample of high quality, and the share of such samples.

    Args:
        samples: ``(n, dimensions)``.
        modes: a ``zoo.datasets.Modes``.
    """
    offsets = samples[:, None].astype("float64") - modes.centres
    distances = np.sqrt(np.sum(offsets**2, axis=2))
    nearest = distances.argmin(axis=1)
    good = distances.min(axis=1) <= 3 * modes.stddev
    return len(np.unique(nearest[good])), float(good.mean())
