"""Arrays of pictures that a notebook shows as pictures, and are NumPy arrays all the same."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from zoo.errors import ZooError
from zoo.plugin import pixels
from zoo.reports.pictures.grids import grid, is_picture
from zoo.reports.pictures.scatters import scatter

MOST = 256
"""Examples that are drawn; of more, the first."""


class Pictures(np.ndarray):
    """Examples ``(n, ...)`` that a notebook shows as a grid; else an array like any other.

    Parts of it are such arrays too; what is computed from it is a plain array.
    """

    def show(self, columns: int | None = None) -> Image.Image:
        """As ``zoo.show``."""
        return show(self, columns)

    def _repr_png_(self) -> bytes | None:
        """What a notebook shows; None, and so the numbers, for what cannot be drawn."""
        if not _can_be_drawn(self):
            return None
        content = io.BytesIO()
        show(self).save(content, format="png")
        return content.getvalue()

    def __array_wrap__(self, array, context=None, return_scalar=False):
        return array[()] if return_scalar else np.asarray(array)

    def __reduce__(self):  # so that reading it again needs no zoo
        return np.asarray(self).__reduce__()


def in_unit(x: np.ndarray, limits: tuple[float, float] | None) -> np.ndarray:
    """As ``pixels.to_unit``; pictures and points are shown in a notebook."""
    x = pixels.to_unit(x, limits)
    return x.view(Pictures) if _can_be_drawn(x) else x


def show(examples: Any, columns: int | None = None) -> Image.Image:
    """Pictures in a grid, or points in the plane, as an image that a notebook shows.

    In a script, ``zoo.show(x).save("x.png")`` writes it. Of more than 256 pictures, the first
    256 are drawn.

    Args:
        examples: pictures ``(n, height, width, 1 or 3)`` or one of them, uint8, or float in
            [0, 1]; or points ``(n, 2)``.
        columns: pictures in a row; by default as many as make the grid square.

    Raises:
        ZooError: they are neither.

    Example:

    >>> zoo.show(np.zeros((6, 28, 28, 1), "uint8"), columns=3).size
    (792, 531)
    """
    x = np.asarray(examples)
    x = x[None] if x.ndim == 3 else x
    if not _can_be_drawn(x):
        raise ZooError(
            f"zoo.show draws pictures (n, height, width, 1 or 3) and points (n, 2), "
            f"and not an array {x.shape}"
        )
    if x.ndim == 2:
        return Image.fromarray(scatter(x))
    return Image.fromarray(grid(x[:MOST], columns))


def _can_be_drawn(x: np.ndarray) -> bool:
    return x.size > 0 and (is_picture(x.shape[1:]) or (x.ndim == 2 and x.shape[1] == 2))
