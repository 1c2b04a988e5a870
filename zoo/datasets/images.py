"""Pictures of any size and mode made alike, by rules that can be said in a sentence."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import ZooError
from zoo.plugin.lazy import Lazy

if TYPE_CHECKING:
    from PIL.Image import Image

CHANNELS = {"grey": 1, "rgb": 3}

_GREY = {"1", "L", "LA", "La", "I;16", "I;16B", "I;16L"}


def opened(content: bytes) -> Image:
    """A picture from the bytes of its file, decoded and turned as its camera was held.

    Raises:
        ValueError: they are no picture that can be read whole.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(content)) as image:
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            return image
    except Exception as error:  # damaged files make their readers raise nearly anything
        unknown = "cannot identify" in str(error)
        raise ValueError("it is no picture" if unknown else str(error) or repr(error)) from None


def fitted(image: Image, size: int | None, mode: str) -> np.ndarray:
    """A picture as uint8 ``(size, size, channels)``.

    A picture that is not square is cropped to the square in its middle, which is then resized
    with bilinear interpolation. Transparent parts become black; 16-bit greys keep their upper
    8 bits.

    Args:
        image: as PIL has it.
        size: pixels a side; None to keep the size, and the whole of it.
        mode: ``"grey"`` or ``"rgb"``.
    """
    from PIL import Image, ImageOps

    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, image.convert("RGBA"))
    image = image.convert("L" if mode == "grey" else "RGB")
    if size is not None:
        image = ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
    return np.asarray(image).reshape(*image.size[::-1], CHANNELS[mode])


def is_grey(image: Image) -> bool:
    """Whether the picture has no colours: by its mode, not by its pixels."""
    return image.mode in _GREY


def common_shape(shapes: Iterable[tuple[int, int]], size: int | None, where: str):
    """``(height, width)`` that all pictures have or get.

    Raises:
        ZooError: no size is set, and they differ.
    """
    found = sorted(set(shapes))
    if size is not None:
        return size, size
    if len(found) != 1:
        (h, w), (height, width) = found[0], found[-1]
        raise ZooError(
            f"{where} are of {len(found)} sizes, from {h} x {w} to {height} x {width}: set size, "
            "to which each is cropped and resized"
        )
    return found[0]


class Decoded(Lazy):
    """Pictures that are decoded when they are asked for.

    Args:
        read: the bytes of picture i.
        rows: which pictures, int64 ``(n,)``.
        shape: of one, ``(height, width)``.
        size: as ``fitted`` takes it.
        mode: likewise.
    """

    def __init__(
        self,
        read: Callable[[int], bytes],
        rows: np.ndarray,
        shape: tuple[int, int],
        size: int | None,
        mode: str,
    ):
        self.shape = (len(rows), *shape, CHANNELS[mode])
        self.dtype = np.dtype(np.uint8)
        self._read, self._rows, self._size, self._mode = read, rows, size, mode

    def read(self, rows):
        x = np.empty((len(rows), *self.shape[1:]), np.uint8)
        for place, row in enumerate(rows):
            x[place] = fitted(opened(self._read(int(self._rows[row]))), self._size, self._mode)
        return x
