"""Codes of examples for TensorBoard's Projector, with their pictures and labels."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.reports import pictures
from zoo.runtime import writer

FOLDER = "projector"
CONFIG = "projector_config.pbtxt"  # TensorBoard looks for it beside the events
MOST_PIXELS = 8192  # a side of the sheet of all pictures; browsers show none of a larger one


def write(folder: Path, z: np.ndarray, labels: Any, x: Any, names: Sequence[str]) -> None:
    """Write the newest codes, in place of older ones.

    Args:
        folder: of the run.
        z: float ``(n, d)``.
        labels: integers ``(n,)``, or None.
        x: the examples, ``(n, ...)``; those that are no pictures are not shown.
        names: of the classes; empty for numbers.
    """
    config = ['tensor_name: "codes"', f'tensor_path: "{FOLDER}/codes.tsv"']
    if x is not None and pictures.is_picture(x.shape[1:]):
        side = int(np.ceil(np.sqrt(len(x))))
        height, width = x.shape[1:3]
        if side * max(height, width) <= MOST_PIXELS:
            _write(folder, "pictures.png", _sheet(pictures.to_uint8(x), side))
            config.append(
                f'sprite {{ image_path: "{FOLDER}/pictures.png" '
                f"single_image_dim: {width} single_image_dim: {height} }}"
            )
    if labels is not None:
        told = pictures.class_names(np.asarray(labels).tolist(), names)
        _write(folder, "labels.tsv", "".join(f"{label}\n" for label in told).encode())
        config.append(f'metadata_path: "{FOLDER}/labels.tsv"')
    rows = ("\t".join(f"{value:.6g}" for value in row) for row in z)
    _write(folder, "codes.tsv", "".join(f"{row}\n" for row in rows).encode())
    inside = "".join(f"  {line}\n" for line in config)
    writer.write(folder / CONFIG, f"embeddings {{\n{inside}}}\n".encode(), folder)


def _write(folder: Path, name: str, content: bytes) -> None:
    writer.write(folder / FOLDER / name, content, folder)


def _sheet(x: np.ndarray, side: int) -> bytes:
    """All pictures edge to edge, row by row, as PNG."""
    from PIL import Image

    n, height, width, channels = x.shape
    sheet = np.zeros((side * side, height, width, channels), "uint8")
    sheet[:n] = x
    rows = sheet.reshape(side, side, height, width, channels).swapaxes(1, 2)
    whole = rows.reshape(side * height, side * width, channels)
    out = io.BytesIO()
    Image.fromarray(whole if channels == 3 else whole[..., 0]).save(out, "PNG")
    return out.getvalue()
