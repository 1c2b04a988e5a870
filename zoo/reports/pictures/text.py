"""Text around an image: a caption under it, names beside its rows and over its columns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

MARGIN = 6
SIZE = 18  # pixels, of all text: legible where an image is shown at two thirds
LONGEST = 20  # characters of a class's name


def font(size: int = SIZE) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, which is there on every machine."""
    return ImageFont.load_default(size)


def class_names(labels: Iterable[int], names: Sequence[str] = ()) -> list[str]:
    """What each label is called in a picture: the name of its class, else its number.

    >>> class_names([0, 2, 3], ["cat", "a very long name of a class", "dog"])
    ['cat', 'dog', '3']
    """
    known = [n if len(n) <= LONGEST else f"{n[: LONGEST - 1]}…" for n in names]
    return [known[label] if 0 <= label < len(known) else str(label) for label in labels]


def caption(image: np.ndarray, text: str) -> np.ndarray:
    """The image with a white strip of text under it, made wider where the text needs it.

    Args:
        image: uint8 ``(height, width, 3)``.
        text: of one or more lines.
    """
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).textbbox((0, 0), text, font())
    height, width = image.shape[:2]
    strip = math.ceil(bottom - top) + 2 * MARGIN
    whole = Image.new("RGB", (max(width, math.ceil(right - left) + 2 * MARGIN), height + strip))
    whole.paste("white", (0, 0, *whole.size))
    whole.paste(Image.fromarray(image), (0, 0))
    ImageDraw.Draw(whole).text((MARGIN - left, height + MARGIN - top), text, "black", font())
    return np.asarray(whole)


def framed(image: np.ndarray, rows: Sequence[str] = (), columns: Sequence[str] = ()) -> np.ndarray:
    """The image with names to the left of its rows and over its columns, on white.

    Names that are wider than their columns stand upright.

    Args:
        image: uint8 ``(height, width, 3)``.
        rows: names of rows of one height that fill the image, from the top; empty for none.
        columns: likewise, from the left.
    """
    height, width = image.shape[:2]
    longest = max((font().getlength(name) for name in rows), default=-2 * MARGIN)
    left = math.ceil(longest) + 2 * MARGIN
    widest = math.ceil(max((font().getlength(name) for name in columns), default=0))
    upright = widest * len(columns) > width
    top = (widest if upright else SIZE) + 2 * MARGIN if columns else 0
    whole = Image.new("RGB", (left + width, top + height), "white")
    whole.paste(Image.fromarray(image), (left, top))
    draw = ImageDraw.Draw(whole)
    for i, name in enumerate(rows):
        middle = top + (i + 0.5) * height / len(rows)
        draw.text((left - MARGIN, middle), name, "black", font(), anchor="rm")
    for i, name in enumerate(columns):
        middle = left + (i + 0.5) * width / len(columns)
        if upright:
            strip = Image.new("RGB", (top, SIZE + MARGIN), "white")
            text = ImageDraw.Draw(strip)
            text.text((MARGIN, strip.height / 2), name, "black", font(), anchor="lm")
            whole.paste(strip.rotate(90, expand=True), (round(middle - strip.height / 2), 0))
        else:
            draw.text((middle, top / 2), name, "black", font(), anchor="mm")
    return np.asarray(whole)
