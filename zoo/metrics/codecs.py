"""How few bits a model's codes take beside what PNG and JPEG take, at equal size."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from zoo.metrics.reconstruction import decibels, squared_errors
from zoo.plugin.lazy import take
from zoo.reports.pictures import to_uint8
from zoo.runs import codes_file

MOST_COMPARED = 1000
"""Pictures that PNG and JPEG are tried on, the first ones."""

_SEARCHED = 256  # pictures that the step is chosen by
_HALVINGS = 10


def psnr(pictures: Any, made: np.ndarray) -> float:
    """Mean over pictures in decibels, both rounded to 256 levels: ``(n, h, w, c)``."""
    x, y = (to_uint8(np.asarray(a)).astype("float64") / 255 for a in (pictures, made))
    return float(decibels(squared_errors(x, y)).mean())


def coarsest_step(model: Any, x: Any, z: np.ndarray, labels: Any, loss: float) -> float:
    """The largest step that codes can be rounded to for at most so many decibels.

    It is the root mean square of the codes' standard deviations, halved until rounding costs no
    more than ``loss`` on 256 examples from all over: a dimension that says nothing varies less
    than a step, and takes no bits.
    """
    rows = np.unique(np.linspace(0, len(z) - 1, _SEARCHED).round().astype(int))
    x, z = take(x, rows), z[rows]
    y = None if labels is None else labels[rows]
    best = psnr(x, model.decode(z, labels=y))
    spread = float(np.sqrt(z.astype("float64").var(axis=0).mean()))
    step = spread or max(float(np.abs(z).max()), 1e-3)
    for _ in range(_HALVINGS):
        again = (codes_file.rounded(z, step) * step).astype("float32")
        if best - psnr(x, model.decode(again, labels=y)) <= loss:
            break
        step /= 2
    return float(np.float32(step))


@dataclass(frozen=True)
class Codec:
    """What a codec makes of pictures.

    Attributes:
        bits: per pixel.
        psnr: mean over pictures in decibels; None where nothing is lost.
        quality: of JPEG, 1 to 95; None for others.
        fits: whether it is as small as was asked.
    """

    bits: float
    psnr: float | None
    quality: int | None = None
    fits: bool = True


def png(pictures: Any) -> Codec:
    """Bits per pixel of all pictures as one PNG, laid out in a square."""
    n, height, width, _ = pictures.shape
    return Codec(8 * len(_saved(_sheet(pictures), format="png")) / (n * height * width), None)


def jpeg(pictures: Any, bits: float) -> Codec:
    """The best quality at which all pictures in one JPEG take at most so many bits per pixel.

    In one file its tables and names are written once, as ours are. Each picture begins at a block
    of 16 x 16 pixels, and is continued to the end of it by its last rows and columns.
    """
    n, height, width, _ = pictures.shape
    pixels, sheet = n * height * width, _sheet(pictures, block=16)
    low, high = 1, 95
    best = None
    while low <= high:
        quality = (low + high) // 2
        content = _saved(sheet, format="jpeg", quality=quality, optimize=True)
        if 8 * len(content) / pixels <= bits:
            best, low = (quality, content), quality + 1
        else:
            high = quality - 1
    quality, content = best or (1, _saved(sheet, format="jpeg", quality=1, optimize=True))
    with Image.open(io.BytesIO(content)) as image:
        again = np.asarray(image).reshape(*sheet.shape)
    made = _apart(again, n, height, width, 16)
    return Codec(8 * len(content) / pixels, psnr(pictures, made), quality, best is not None)


def _saved(sheet: np.ndarray, **how: Any) -> bytes:
    content = io.BytesIO()
    Image.fromarray(sheet[..., 0] if sheet.shape[-1] == 1 else sheet).save(content, **how)
    return content.getvalue()


def _sheet(pictures: Any, block: int = 1) -> np.ndarray:
    """Pictures in a square, uint8 ``(height, width, c)``, each ending at a whole block.

    What is left of the last row of pictures is black, which costs next to nothing.
    """
    x = np.asarray(pictures)
    n, height, width, channels = x.shape
    x = np.pad(x, ((0, 0), (0, -height % block), (0, -width % block), (0, 0)), mode="edge")
    columns = math.ceil(math.sqrt(n))
    x = np.concatenate([x, np.zeros((-n % columns, *x.shape[1:]), x.dtype)])
    x = x.reshape(-1, columns, *x.shape[1:]).transpose(0, 2, 1, 3, 4)
    return x.reshape(x.shape[0] * x.shape[1], -1, channels)


def _apart(sheet: np.ndarray, n: int, height: int, width: int, block: int) -> np.ndarray:
    h, w = height + -height % block, width + -width % block
    rows, columns = sheet.shape[0] // h, sheet.shape[1] // w
    x = (
        sheet.reshape(rows, h, columns, w, -1)
        .transpose(0, 2, 1, 3, 4)
        .reshape(-1, h, w, sheet.shape[-1])
    )
    return x[:n, :height, :width]
