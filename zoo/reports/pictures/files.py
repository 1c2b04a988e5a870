"""PNG files that say what they show, and GIFs."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from zoo.runtime import writer


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
    Image.fromarray(image).save(content, format="png", pnginfo=notes)
    return content.getvalue()


def gif(images: Sequence[np.ndarray], milliseconds: int = 80) -> bytes:
    """The bytes of a GIF that shows images in turn, over and over.

    Args:
        images: of one shape, each uint8 ``(height, width, 3)``.
        milliseconds: that each is shown.
    """
    first, *others = [Image.fromarray(image) for image in images]
    content = io.BytesIO()
    first.save(content, "gif", save_all=True, append_images=others, duration=milliseconds, loop=0)
    return content.getvalue()
