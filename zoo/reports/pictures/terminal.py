"""Pictures in a terminal: two pixels a character."""

from __future__ import annotations

import numpy as np
from PIL import Image

HALF = "▀"  # its upper half has the colour of the text, its lower half that of the ground
PLAIN = "\x1b[0m"


def half_blocks(image: np.ndarray, wide: int, deep: bool = True) -> str:
    """Lines of half blocks in colour, one pixel wide and two high each.

    Args:
        image: uint8 ``(height, width, 3)``; made smaller where it is wider than the terminal.
        wide: columns of the terminal.
        deep: whether it shows 16,777,216 colours; else they are the nearest of 256.
    """
    height, width = image.shape[:2]
    if width > wide:
        size = (wide, max(1, round(height * wide / width)))
        image = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))
    if len(image) % 2:
        image = np.concatenate([image, np.zeros_like(image[:1])])
    colour = _deep if deep else _of_256
    lines = []
    for upper, lower in zip(image[::2].tolist(), image[1::2].tolist(), strict=True):
        line, before = [], None
        for pair in zip(upper, lower, strict=True):
            if pair != before:
                line.append(f"\x1b[38;{colour(*pair[0])};48;{colour(*pair[1])}m")
            line.append(HALF)
            before = pair
        lines.append("".join(line) + PLAIN)
    return "\n".join(lines)


def _deep(red: int, green: int, blue: int) -> str:
    return f"2;{red};{green};{blue}"


def _of_256(red: int, green: int, blue: int) -> str:
    """The number of a colour: 24 greys from 232, and a cube of 6 x 6 x 6 from 16."""
    if max(red, green, blue) - min(red, green, blue) < 10 and 4 < red < 246:
        return f"5;{232 + min(23, max(0, round((red - 8) / 10)))}"
    steps = (0 if level < 48 else max(1, round((level - 55) / 40)) for level in (red, green, blue))
    r, g, b = steps
    return f"5;{16 + 36 * r + 6 * g + b}"
