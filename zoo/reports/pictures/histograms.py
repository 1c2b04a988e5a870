"""Two samples beside each other, as histograms."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from zoo.reports.pictures.scatters import BLUE, GREY
from zoo.reports.pictures.text import SIZE, font

BINS = 40
_WIDTH, _HEIGHT, _GAP = 6 * BINS, 130, 10


def histograms(
    samples: np.ndarray, reference: np.ndarray, names: Sequence[str], columns: int = 4
) -> np.ndarray:
    """Each dimension's histogram as a blue line, over that of a reference in grey.

    Both have the same bins, from the least to the largest number of the reference and a quarter of
    that range to each side; what lies beyond is in the outermost bins. A plot is as high as its
    highest bin.

    Args:
        samples: float ``(n, d)``; what is not finite is left out.
        reference: float ``(m, d)``.
        names: of the dimensions, d of them.
        columns: plots in a row.

    Returns:
        An image, uint8 ``(height, width, 3)``.
    """
    rows = math.ceil(len(names) / columns)
    across, down = _WIDTH + _GAP, _HEIGHT + SIZE + 2 * _GAP
    size = (min(columns, len(names)) * across + _GAP, rows * down + _GAP)
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for place, name in enumerate(names):
        left, top = _GAP + place % columns * across, _GAP + place // columns * down
        own, grey = _shares(samples[:, place], reference[:, place])
        highest = max(own.max(), grey.max(), 1e-12)
        bottom, step = top + SIZE + _GAP // 2 + _HEIGHT, _WIDTH // BINS
        draw.text((left, top), name, "black", font())
        line = []
        for i, (share, other) in enumerate(zip(own, grey, strict=True)):
            x = left + i * step
            if other > 0:
                draw.rectangle(
                    (x, bottom - other / highest * _HEIGHT, x + step - 1, bottom), fill=GREY
                )
            y = bottom - share / highest * _HEIGHT
            line += [(x, y), (x + step - 1, y)]
        draw.line(line, BLUE, 2)
        draw.line((left, bottom, left + _WIDTH, bottom), "black", 1)
    return np.asarray(image)


def _shares(samples, reference) -> tuple[np.ndarray, np.ndarray]:
    """The share of each in each bin, two of ``(BINS,)``."""
    low, high = float(reference.min()), float(reference.max())
    room = (high - low) / 4 or 1.0
    edges = np.linspace(low - room, high + room, BINS + 1)
    found = []
    for numbers in (samples, reference):
        finite = np.clip(numbers[np.isfinite(numbers)], edges[0], edges[-1])
        found.append(np.histogram(finite, edges)[0] / max(len(finite), 1))
    return found[0], found[1]
