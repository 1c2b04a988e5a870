"""What datasets of points in the plane share: they are drawn, from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from zoo.plugin.dataset import ANYWHERE, Access, Data, Dataset, Modes, Split
from zoo.plugin.model import DataSpec
from zoo.runtime import memory

if TYPE_CHECKING:
    import numpy as np


_BYTES = 100  # of a point while it is drawn, in float64


@dataclass(frozen=True)
class Points(Dataset):
    """Base of points in the plane, float32 ``(n, 2)``, drawn anew for each split.

    Attributes:
        n: training points.
        held_out: points for validation, and as many for test.
        seed: of the points; a run's own seed does not change its data.
    """

    n: int = 100_000
    held_out: int = 10_000
    seed: int = 0

    NAME: ClassVar[str]
    CLASSES: ClassVar[int] = 0

    def __post_init__(self):
        super().__post_init__()
        self.check_count("n", 1)
        self.check_count("held_out", 1)
        self.check_count("seed", 0, 2**64 - 1)

    def load(self, access: Access = ANYWHERE) -> Data:
        """Draw the points."""
        from zoo.datasets.draws import Draws

        memory.refuse_beyond(
            (self.n + 2 * self.held_out) * _BYTES,
            f"{type(self).__name__}: drawing {self.n:,} points and {self.held_out:,} held out",
            "take a smaller n or held_out",
        )

        def drawn(split: str, n: int) -> Split:
            return self.draw(n, Draws(self.seed, self.NAME, split))

        return Data(
            name=self.NAME,
            spec=DataSpec((2,), classes=self.CLASSES),
            train=drawn("train", self.n),
            validation=drawn("validation", self.held_out),
            test=drawn("test", self.held_out),
            modes=self.modes(),
        )

    def draw(self, n: int, draws) -> Split:
        """``n`` points, drawn from a ``zoo.datasets.draws.Draws``."""
        raise NotImplementedError(f"{type(self).__name__} has to define draw(n, draws)")

    def modes(self) -> Modes | None:
        """The mixture that the points are drawn from, where they are from one."""
        return None


@dataclass(frozen=True)
class Mixture(Points):
    """Base of mixtures of round Gaussians in equal proportions, labelled by their modes."""

    STDDEV: ClassVar[float]

    def centres(self) -> np.ndarray:
        """Where the modes are, float32 ``(k, 2)``."""
        raise NotImplementedError(f"{type(self).__name__} has to define centres()")

    def modes(self) -> Modes | None:
        """The centres and standard deviation of the modes."""
        return Modes(self.centres(), self.STDDEV)

    def draw(self, n: int, draws) -> Split:
        """Points, each of a mode drawn uniformly."""
        centres = self.centres()
        y = draws.integers(n, len(centres))
        x = centres[y] + self.STDDEV * draws.normal((n, 2))
        return Split(x.astype(centres.dtype), y)
