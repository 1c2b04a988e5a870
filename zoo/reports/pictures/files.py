"""PNG files that say what they show."""

from __future__ import annotations

import io
import os
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
    notes, content = PngInfo(), io.BytesIO()
    for key, value in text.items():
        notes.add_text(key, str(value))
    Image.fromarray(image).save(content, format="png", pnginfo=notes)
    writer.write(Path(path), content.getvalue(), below)
