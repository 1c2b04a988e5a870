"""Eight Gaussians on a circle: the first test of whether a GAN finds every mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from zoo.datasets.points import Mixture

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Ring(Mixture):
    """Eight modes on the circle of radius 1, of standard deviation 0.01, labelled by mode.

    The setting of PacGAN (Lin et al. 2018, section 4.1), after VEEGAN (Srivastava et al. 2017).
    """

    NAME: ClassVar[str] = "ring"
    CLASSES: ClassVar[int] = 8
    STDDEV: ClassVar[float] = 0.01

    def centres(self) -> np.ndarray:
        """From (1, 0) on, counter-clockwise."""
        import numpy as np

        angle = 2 * np.pi * np.arange(8) / 8
        return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
