"""PNG files that say what they show."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo


def save(path: str | os.PathLike[str], image: np.ndarray, **text: object) -> None:
    """Write an image as PNG, whole or not at all, with what it shows as text in the file.

    Args:
        path: the file; its folder is made where it is missing.
        image: uint8 ``(height, width, 3)``.
        **text: entries for the file's own notes, such as ``data``, ``run``, ``epoch``.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    notes = PngInfo()
    for key, value in text.items():
        notes.add_text(key, str(value))
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        Image.fromarray(image).save(part, format="png", pnginfo=notes)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
