"""Structural similarity of reconstructions and test pictures (Wang et al. 2004)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.errors import ZooError
from zoo.metrics.reconstruction import reconstructed
from zoo.plugin.metric import Measured, Metric, given_label
from zoo.runtime.console import counted

WINDOW = 11
"""Side of the window, in pixels."""

_SIGMA = 1.5
_C1, _C2 = 0.01**2, 0.03**2  # (K1 L)^2 and (K2 L)^2 for pixels in [0, 1]


@dataclass(frozen=True)
class SSIM(Metric):
    """Structural similarity of reconstructed pictures, mean over them; 1 for equal ones.

    Wang, Bovik, Sheikh and Simoncelli 2004, equation 13, with their Gaussian window of 11 x 11
    pixels and standard deviation 1.5, K1 = 0.01, K2 = 0.03. As in their code, only windows that
    lie within the picture count: 18 x 18 of them for 28 x 28 pixels. Channels count alike.
    """

    name: ClassVar[str] = "ssim"
    needs: ClassVar[tuple[str, ...]] = ("reconstruct",)
    better: ClassVar[str] = "higher"
    scales_with: ClassVar[tuple[str, ...]] = ("test",)

    def check(self, data):
        if not data.spec.is_image:
            raise self.refuse(data, "pictures")
        height, width, _ = data.spec.shape
        if min(height, width) < WINDOW:
            raise ZooError(
                f"metric 'ssim' needs pictures of at least {WINDOW} x {WINDOW} pixels, and those "
                f"of {data.name} have {height} x {width}"
            )

    def measure(self, model, data, seed):
        values = reconstructed(model, data.test, similarity)
        return Measured(
            float(values.mean()),
            "",
            f"mean over {counted(len(values), 'test picture')}, Gaussian windows of "
            f"{WINDOW} x {WINDOW} pixels that lie within the picture{given_label(model)}",
        )


def similarity(x, y) -> np.ndarray:
    """SSIM of pairs of pictures.

    Args:
        x, y: ``(n, height, width, channels)`` in [0, 1], sides of at least 11.

    Returns:
        float64 ``(n,)``, at most 1.
    """
    x, y = x.astype("float64"), y.astype("float64")
    mean_x, mean_y = _windowed(x), _windowed(y)
    variances = _windowed(x**2) - mean_x**2 + _windowed(y**2) - mean_y**2
    covariance = _windowed(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x**2 + mean_y**2 + _C1)
    contrast_and_structure = (2 * covariance + _C2) / (variances + _C2)
    return np.mean(luminance * contrast_and_structure, axis=(1, 2, 3))


def _windowed(x):
    """The Gaussian-weighted mean of each window that lies within the picture."""
    from scipy.ndimage import correlate1d

    half = WINDOW // 2
    weights = np.exp(-0.5 * (np.arange(-half, half + 1) / _SIGMA) ** 2)
    weights /= weights.sum()
    for axis in (1, 2):
        x = correlate1d(x, weights, axis=axis)
    return x[:, half:-half, half:-half]
