"""Two half circles that reach into each other: two classes, apart but not linearly so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from zoo.datasets.points import Points
from zoo.plugin.dataset import Split


@dataclass(frozen=True)
class Moons(Points):
    """Two half circles of radius 1, the lower one moved by (1, 0.5), labelled 0 and 1.

    Attributes:
        noise: standard deviation of what is added to each coordinate, in [0, 1).
    """

    noise: float = 0.05

    NAME: ClassVar[str] = "moons"
    CLASSES: ClassVar[int] = 2

    def __post_init__(self):
        super().__post_init__()
        self.check_share("noise")

    def draw(self, n: int, draws) -> Split:
        """Points, each of a half circle drawn evenly, uniform along it."""
        import numpy as np

        y = draws.integers(n, 2)
        angle = np.pi * draws.uniform(n)
        upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        x = np.where(y[:, np.newaxis] == 0, upper, np.array([1.0, 0.5]) - upper)
        return Split((x + self.noise * draws.normal((n, 2))).astype(np.float32), y)
