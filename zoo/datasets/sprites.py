"""White shapes on black, rendered from factors that are known: after dSprites."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from zoo.plugin.dataset import ANYWHERE, Access, Data, Dataset, Split, sha256
from zoo.plugin.lazy import Lazy
from zoo.plugin.model import DataSpec

if TYPE_CHECKING:
    import numpy as np

FACTORS = {"shape": 3, "scale": 6, "orientation": 40, "x": 32, "y": 32}
"""The factors, in the order of the columns of ``Split.factors``, and how many values each has."""

SHAPES = ("square", "ellipse", "heart")

_HASHED = 100  # rendered pictures that count for the fingerprint, beside all factors


@dataclass(frozen=True)
class Sprites(Dataset):
    """Sprites as uint8 ``(n, size, size, 1)`` of 0 and 255, rendered when they are asked for.

    The factors are those of dSprites (Matthey et al. 2017): shape (square, ellipse, heart), 6
    scales in [0.5, 1], 40 orientations in [0, 2 pi), 32 places each along x (to the right) and
    y (down). ``Split.factors``, int32 ``(n, 5)``, holds the place of each among its values, and
    the label is the shape. The pictures are not those of dSprites, pixel by pixel. The splits
    have no combination of factors in common, of which there are 737,280.

    Attributes:
        size: pixels a side.
        n: sprites for training.
        held_out: sprites for validation, and as many for test.
        seed: of which combinations are drawn; a run's own seed does not change its data.
    """

    size: int = 64
    n: int = 100_000
    held_out: int = 10_000
    seed: int = 0

    COMBINATIONS: ClassVar[int] = math.prod(FACTORS.values())

    def __post_init__(self):
        super().__post_init__()
        self.check_count("size", 16, 512)
        self.check_count("held_out", 1, 100_000)
        self.check_count("n", 1, self.COMBINATIONS - 2 * self.held_out)
        self.check_count("seed", 0, 2**64 - 1)

    def load(self, access: Access = ANYWHERE) -> Data:
        """Draw combinations of factors; nothing is rendered yet but what the fingerprint needs."""
        import numpy as np

        from zoo.random import host_permutation

        drawn = host_permutation(self.seed, self.COMBINATIONS, "Sprites")
        ends = np.cumsum([self.n, self.held_out, self.held_out])
        splits: list[Split] = []
        for rows in np.split(drawn[: ends[-1]], ends[:-1]):
            factors = np.stack(np.unravel_index(rows, tuple(FACTORS.values())), axis=1)
            factors = factors.astype(np.int32)
            splits.append(Split(_Rendered(factors, self.size), factors[:, 0].copy(), factors))
        hashed = [array for split in splits for array in (split.x[:_HASHED], split.factors)]
        spec = DataSpec((self.size, self.size, 1), classes=len(SHAPES))
        train, validation, test = splits
        return Data(
            "sprites",
            spec,
            train,
            validation,
            test,
            fingerprint=sha256(*hashed),
            class_names=SHAPES,
            factor_names=tuple(FACTORS),
        )


class _Rendered(Lazy):
    """Pictures of the sprites that have these factors."""

    def __init__(self, factors: np.ndarray, size: int):
        import numpy as np

        self.shape, self.dtype = (len(factors), size, size, 1), np.dtype(np.uint8)
        self._factors, self._size = factors, size

    def read(self, rows):
        return render(self._factors[rows], self._size)


def render(factors: np.ndarray, size: int) -> np.ndarray:
    """Draw sprites, white where the middle of a pixel is within the shape.

    Args:
        factors: int ``(n, 5)``, the place of each of ``FACTORS`` among its values.
        size: pixels a side.

    Returns:
        uint8 ``(n, size, size, 1)`` of 0 and 255.
    """
    import numpy as np

    # Lengths are in sides of the picture; no sprite leaves it.
    _, scale, orientation, x, y = factors.astype(np.float32).T[:, :, np.newaxis, np.newaxis]
    middle = (np.arange(size, dtype=np.float32) + 0.5) / size
    angle = orientation * np.float32(2 * np.pi / FACTORS["orientation"])
    radius = 0.1 + 0.02 * scale
    right = (middle - (0.25 + x / 62)) / radius
    up = ((0.25 + y / 62) - middle[:, np.newaxis]) / radius
    cos, sin = np.cos(angle), np.sin(angle)
    inside = np.empty((len(factors), size, size), bool)
    for number, within in enumerate((_square, _ellipse, _heart)):
        of = np.flatnonzero(factors[:, 0] == number)
        u = cos[of] * right[of] + sin[of] * up[of]
        v = cos[of] * up[of] - sin[of] * right[of]
        inside[of] = within(u, v)
    return np.multiply(inside, 255, dtype=np.uint8)[..., np.newaxis]


def _square(u, v):
    return (abs(u) <= 0.8) & (abs(v) <= 0.8)


def _ellipse(u, v):
    return u * u + 3.3 * v * v <= 1


def _heart(u, v):
    b = 1.15 * v + 0.1
    aa, bb = 1.3225 * u * u, b * b
    c = aa + bb - 1
    return c * c * c <= aa * bb * b
