"""PNG files that say what they show, and GIFs."""

from __future__ import annotations

import io
import os
import zlib
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from zoo.runtime import writer

MOST_PIXELS = 64_000_000  # of a picture that is read


def read(content: bytes) -> np.ndarray:
    """An image uint8 ``(height, width, 3)`` of a PNG file, which may be a stranger's.

    Raises:
        ValueError: it is no PNG, is damaged, or unpacks to more than ``MOST_PIXELS``.
    """
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"it has more than {MOST_PIXELS:,} pixels")
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"it is no whole PNG: {error}") from error


def save(
    path: str | os.PathLike[str], image: np.ndarray, below: Path | None = None, **text: object
) -> None:
    """Write an image as PNG, whole or not at all, with what it shows as text in the file.

    Args:
        path: the file; its folder is made where it is missing.
        image: uint8 ``(height, width, 3)``.
        below: a run's folder, where the path is in one: no link below it is followed.
        **text: entries for the file's own notes, such as ``data``, ``run``, ``epoch``.
    """
    writer.write(Path(path), png(image, **text), below)


def png(image: np.ndarray, **text: object) -> bytes:
    """The bytes of a PNG file, as ``save`` writes it."""
    notes, content = PngInfo(), io.BytesIO()
    for key, value in text.items():
        notes.add_text(key, str(value))
    grey, options = image[..., 0], {"compress_level": 3}
    if (image == grey[..., None]).all():  # most are, and make a fifth of the work then
        image, options = grey, {"compress_type": zlib.Z_RLE}
    Image.fromarray(image).save(content, format="png", pnginfo=notes, **options)
    return content.getvalue()
