"""Pictures of any size and mode made alike, by rules that can be said in a sentence."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.datasets.depths import in_8_bits, is_deep
from zoo.errors import ZooError
from zoo.plugin.lazy import Lazy

if TYPE_CHECKING:
    from PIL.Image import Image

CHANNELS = {"grey": 1, "rgb": 3}

BACKGROUNDS = {"black": 0, "white": 255}

_THUMBNAIL_OR_MASK = 0b101  # of the tag NewSubfileType of TIFF, 254

MOST_UPLOADED = 10 << 20
"""Bytes of a file that a page takes."""

_MOST_DECODED = 50_000_000  # pixels of one: as a camera's, 150 MB
_UPLOADED = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")  # Pillow reads no other then


@dataclass(frozen=True)
class Form:
    """How pictures are made alike.

    Attributes:
        mode: ``"grey"`` or ``"rgb"``.
        size: ``(height, width)`` they get; None to keep their own.
        fit: how they come to that size: ``"crop"``, ``"pad"`` or ``"stretch"``.
        background: behind transparent parts and beside padded pictures, one of ``BACKGROUNDS``.
        value_range: as ``in_8_bits`` takes it.
    """

    mode: str = "rgb"
    size: tuple[int, int] | None = None
    fit: str = "crop"
    background: str = "black"
    value_range: tuple[float, float] | None = None


def pages(content: bytes) -> tuple[list[int], bool]:
    """Which pages of a file are pictures: all of a TIFF but thumbnails and masks, else the first.

    Returns:
        Their numbers, and whether it is an animation, of which the other pictures are left out.

    Raises:
        ValueError: the file is no picture.
    """
    with _reading(content) as image:
        if image.format != "TIFF":
            return [0], image.format != "MPO" and getattr(image, "n_frames", 1) > 1
        found = []
        for page in range(image.n_frames):  # type: ignore[attr-defined]
            image.seek(page)
            if not image.tag_v2.get(254, 0) & _THUMBNAIL_OR_MASK:  # type: ignore[attr-defined]
                found.append(page)
        return found or [0], False


def uploaded(content: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """A picture that anybody may have sent, made like those of a model.

    Its header alone is read before its size is known to be small enough.

    Args:
        content: the bytes of its file.
        shape: ``(height, width, channels)`` that it gets, cut to its middle.

    Returns:
        uint8 of that shape, transparent parts black.

    Raises:
        ValueError: it is too large, or no picture that can be read whole.
    """
    if len(content) > MOST_UPLOADED:
        raise ValueError(f"it is larger than {MOST_UPLOADED >> 20} MB")
    image, _ = plain(opened(content, formats=_UPLOADED, most=_MOST_DECODED))
    mode = next(mode for mode, channels in CHANNELS.items() if channels == shape[2])
    return fitted(image, Form(mode, (shape[0], shape[1])))


def opened(
    content: bytes,
    page: int = 0,
    *,
    formats: tuple[str, ...] | None = None,
    most: int | None = None,
) -> Image:
    """A picture from the bytes of its file, decoded and turned as its camera was held.

    Args:
        content: the bytes.
        page: of its pages.
        formats: that it may have, by Pillow's names; None for all that Pillow reads.
        most: pixels that it may have; None for as many as Pillow takes.

    Raises:
        ValueError: they are no picture that can be read whole.
    """
    from PIL import ImageOps

    with _reading(content, formats) as image:
        if most is not None and image.width * image.height > most:
            raise ValueError(
                f"it has {image.width} x {image.height} pixels; up to {most:,} are accepted"
            )
        if page:
            image.seek(page)
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        return image


@contextlib.contextmanager
def _reading(content: bytes, formats: tuple[str, ...] | None = None) -> Iterator[Image]:
    """A picture's file, opened; ``ValueError`` for what is raised while it is read."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pillow, which names no file: ours follows
        try:
            with Image.open(io.BytesIO(content), formats=formats) as image:
                yield image
        except Exception as error:
            raise _no_picture(error) from None


def _no_picture(error: Exception) -> ValueError:
    """The error for a damaged file, for which readers raise nearly anything."""
    unknown = "cannot identify" in str(error)
    return ValueError("it is no picture" if unknown else str(error) or repr(error))


def plain(
    image: Image, value_range: tuple[float, float] | None = None
) -> tuple[Image, tuple[str, ...]]:
    """A picture in one of PIL's modes L, LA, RGB and RGBA, and what a person should know of it.

    It is grey by its mode, or by the colours that its palette uses; not by its pixels.

    Returns:
        The picture, with an alpha channel where a part of it is transparent; and what to tell:
        ``"transparent"``, and the range that it was scaled from to 8 bits.

    Raises:
        RangeNeeded: as ``in_8_bits``.
        ValueError: the mode cannot be converted, or a value is not finite.
    """
    from PIL import Image

    if is_deep(image):
        scaled, done = in_8_bits(image, value_range)
        grey = Image.fromarray(scaled)
        if "transparency" not in image.info:
            return grey, (done,)
        opaque = np.asarray(image) != image.info["transparency"]
        alpha = Image.fromarray(np.where(opaque, 255, 0).astype(np.uint8))
        return Image.merge("LA", (grey, alpha)), (done, "transparent")
    colours = "L" if _is_grey(image) else "RGB"
    if image.has_transparency_data:
        alpha = image.convert("RGBA")
        if np.asarray(alpha.getchannel("A")).min() < 255:
            return alpha.convert(f"{colours}A"), ("transparent",)
        image = alpha
    return (image if image.mode == colours else image.convert(colours)), ()  # or it is copied


def _is_grey(image: Image) -> bool:
    if image.mode in ("P", "PA"):
        palette = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
        indices = np.unique(np.asarray(image.getchannel(0)))
        used = palette[indices[indices < len(palette)]]
        return bool((used == used[:, :1]).all())
    return image.mode in ("1", "L", "LA", "La")


def fitted(image: Image, form: Form) -> np.ndarray:
    """A picture as uint8 ``(height, width, channels)``.

    ``"crop"`` cuts the largest part in the middle that has the proportions of the size,
    ``"pad"`` sets the whole picture on a background of that size, ``"stretch"`` changes its
    proportions; each with bilinear interpolation.

    Args:
        image: as ``plain`` gives it.
        form: what it is to be like.
    """
    from PIL import Image, ImageOps

    if "A" in image.mode:
        level = BACKGROUNDS[form.background]
        ground = Image.new("RGBA", image.size, (level, level, level, 255))
        image = Image.alpha_composite(ground, image.convert("RGBA"))
    image = image.convert("L" if form.mode == "grey" else "RGB")
    if form.size is not None:
        height, width = form.size
        bilinear = Image.Resampling.BILINEAR
        if form.fit == "crop":
            image = ImageOps.fit(image, (width, height), bilinear)
        elif form.fit == "stretch":
            image = image.resize((width, height), bilinear)
        else:
            image = _padded(image, height, width, BACKGROUNDS[form.background])
    return np.asarray(image).reshape(*image.size[::-1], CHANNELS[form.mode])


def _padded(image: Image, height: int, width: int, level: int) -> Image:
    from PIL import Image

    scale = min(height / image.height, width / image.width)
    inner = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    ground = Image.new(image.mode, (width, height), (level,) * len(image.getbands()))
    place = (width - inner[0]) // 2, (height - inner[1]) // 2
    ground.paste(image.resize(inner, Image.Resampling.BILINEAR), place)
    return ground


def common_shape(shapes: Iterable[tuple[int, int]], size: tuple[int, int] | None, where: str):
    """``(height, width)`` that all pictures have or get.

    Raises:
        ZooError: no size is set, and they differ.
    """
    found = sorted(set(shapes))
    if size is not None:
        return size
    if len(found) != 1:
        (h, w), (height, width) = found[0], found[-1]
        raise ZooError(
            f"{where} are of {len(found)} sizes, from {h} x {w} to {height} x {width}: set size, "
            "as in size=64 or size=(48, 64), and fit to 'crop', 'pad' or 'stretch'"
        )
    return found[0]


class Decoded(Lazy):
    """Pictures that are decoded when they are asked for.

    Args:
        read: the bytes of file i.
        rows: file and page of each picture, int64 ``(n, 2)``.
        shape: of one, ``(height, width)``.
        form: what they are to be like.
    """

    def __init__(
        self, read: Callable[[int], bytes], rows: np.ndarray, shape: tuple[int, int], form: Form
    ):
        self.shape = (len(rows), *shape, CHANNELS[form.mode])
        self.dtype = np.dtype(np.uint8)
        self._read, self._rows, self._form = read, rows, form

    def read(self, rows):
        x = np.empty((len(rows), *self.shape[1:]), np.uint8)
        for place, (file, page) in enumerate(self._rows[rows].tolist()):
            image, _ = plain(opened(self._read(file), page), self._form.value_range)
            x[place] = fitted(image, self._form)
        return x
