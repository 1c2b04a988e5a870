"""Twenty-five Gaussians on a square grid: a harder test of whether a GAN finds every mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from zoo.datasets.points import Mixture

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Grid(Mixture):
    """A mode at each point of {-4, -2, 0, 2, 4}^2, of standard deviation 0.05, labelled by mode.

    The setting of PacGAN (Lin et al. 2018, section 4.1), after VEEGAN (Srivastava et al. 2017).
    """

    NAME: ClassVar[str] = "grid"
    CLASSES: ClassVar[int] = 25
    STDDEV: ClassVar[float] = 0.05

    def centres(self) -> np.ndarray:
        """Column by column, each from below."""
        import numpy as np

        steps = np.array([-4, -2, 0, 2, 4], np.float32)
        return np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(25, 2)
