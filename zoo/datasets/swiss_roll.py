"""A spiral in the plane, with the place along it as true factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from zoo.datasets.points import Points
from zoo.plugin.dataset import Split


@dataclass(frozen=True)
class SwissRoll(Points):
    """The spiral t (cos t, sin t) / 5 with t uniform in (1.5 pi, 4.5 pi), without labels.

    ``Split.factors`` holds t, float32 ``(n, 1)``.

    Attributes:
        noise: standard deviation of what is added to each coordinate, in [0, 1).
    """

    noise: float = 0.1

    NAME: ClassVar[str] = "swiss_roll"

    def __post_init__(self):
        super().__post_init__()
        self.check_share("noise")

    def draw(self, n: int, draws) -> Split:
        """Points, uniform in the angle."""
        import numpy as np

        t = 1.5 * np.pi * (1 + 2 * draws.uniform((n, 1)))
        x = t / 5 * np.concatenate([np.cos(t), np.sin(t)], axis=1)
        x += self.noise * draws.normal((n, 2))
        return Split(x.astype(np.float32), factors=t.astype(np.float32))
