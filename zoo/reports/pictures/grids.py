"""Pictures in rows and columns."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from zoo.reports.pictures.text import framed

BACKGROUND = 96  # a grey that tells apart neighbours with black and with white borders
GAP = 10  # pixels between images side by side or one under the other
WIDE = 1000  # pixels, which a grid is enlarged to about
LARGEST = 256  # pixels, to which one picture is enlarged at most


def to_uint8(pictures: np.ndarray) -> np.ndarray:
    """Pictures as uint8 0 to 255; floats are cut to [0, 1], what is not finite is black."""
    pictures = np.asarray(pictures)
    if pictures.dtype == np.uint8:
        return pictures
    pictures = np.nan_to_num(pictures.astype("float32"), nan=0.0, posinf=1.0, neginf=0.0)
    return np.rint(np.clip(pictures, 0.0, 1.0) * 255.0).astype("uint8")


def is_picture(shape: tuple[int, ...]) -> bool:
    """Whether one example of this shape can be drawn by ``grid``."""
    return len(shape) == 3 and shape[-1] in (1, 3)


def grid(
    images: np.ndarray,
    columns: int | None = None,
    padding: int = 1,
    scale: int | None = None,
) -> np.ndarray:
    """Lay pictures out in rows, the first at the top left.

    Args:
        images: float32 in [0, 1] or uint8, ``(n, h, w, c)`` with n at least 1 and c 1 or 3.
        columns: pictures in a row; by default as many as make the grid square.
        padding: width of the lines between pictures, in their own pixels.
        scale: whole factor to enlarge by, so that pixels stay squares; by default ``enlarged``.

    Returns:
        An image, uint8 ``(height, width, 3)``.

    Raises:
        ValueError: the array has another shape.
    """
    images = to_uint8(images)
    if images.ndim != 4 or not len(images) or not is_picture(images.shape[1:]):
        raise ValueError(f"grid takes pictures (n, h, w, 1 or 3), n > 0, not {images.shape}")
    n, height, width = images.shape[:3]
    columns = columns or math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    scale = scale or enlarged((height, width), columns, padding)
    # One cell is a picture with the line above it and to its left.
    cells = np.full(
        (rows * columns, height + padding, width + padding, 3), BACKGROUND, dtype="uint8"
    )
    cells[:n, padding:, padding:] = images  # one channel spreads over three
    cells = cells.reshape(rows, columns, height + padding, width + padding, 3)
    image = cells.transpose(0, 2, 1, 3, 4).reshape(rows * cells.shape[2], -1, 3)
    image = np.pad(
        image, ((0, padding), (0, padding), (0, 0)), mode="constant", constant_values=BACKGROUND
    )
    return image.repeat(scale, axis=0).repeat(scale, axis=1)


def enlarged(size: tuple[int, int], columns: int, padding: int = 1) -> int:
    """The whole factor that brings a grid nearest to 1,000 pixels of width.

    Fewer, where pictures would become larger than 256 pixels.

    Args:
        size: of a picture, ``(height, width)``.
        columns: pictures in a row.
        padding: between them.
    """
    wanted = round(WIDE / (columns * (size[1] + padding) + padding))
    return max(1, min(wanted, LARGEST // max(size)))


def alike(groups: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Pictures of several sizes and channels as pictures of one shape, to be compared.

    Args:
        groups: ``{name: pictures}``, each ``(n, h, w, 1 or 3)``, float32 in [0, 1] or uint8.

    Returns:
        uint8 of the largest height, width and channels: smaller pictures are enlarged by a whole
        factor, in the middle of a grey rectangle where that leaves room. Groups of fewer
        pictures are cut to the fewest.
    """
    found = {name: to_uint8(group) for name, group in groups.items()}
    n, height, width, channels = zip(*(group.shape for group in found.values()), strict=True)
    shape = (min(n), max(height), max(width), max(channels))
    for name, group in found.items():
        if group.shape != shape:
            h, w = group.shape[1:3]
            scale = min(shape[1] // h, shape[2] // w)
            group = group[: shape[0]].repeat(scale, axis=1).repeat(scale, axis=2)
            top, left = (shape[1] - h * scale) // 2, (shape[2] - w * scale) // 2
            whole = np.full(shape, BACKGROUND, "uint8")
            whole[:, top : top + h * scale, left : left + w * scale] = group
            found[name] = whole
    return found


def compare(groups: Mapping[str, np.ndarray], plain: bool = False) -> np.ndarray:
    """What became of the same examples: a row of each group under that of the one before.

    Args:
        groups: ``{name: pictures}``, all ``(n, h, w, c)``, float32 in [0, 1] or uint8. The
            names stand beside the rows.
        plain: without names, and not enlarged.

    Returns:
        An image, uint8 ``(height, width, 3)``, in blocks of as many rows as there are groups.

    Raises:
        ValueError: the shapes differ, or are not those of pictures.
    """
    pictures = {name: to_uint8(group) for name, group in groups.items()}
    if len({group.shape for group in pictures.values()}) > 1:
        shapes = ", ".join(f"{name} {group.shape}" for name, group in pictures.items())
        raise ValueError(f"the shapes of what is compared differ: {shapes}")
    n = len(next(iter(pictures.values())))
    most = math.ceil(math.sqrt(len(pictures) * n))
    columns = math.ceil(n / math.ceil(n / most))  # blocks of like length
    blocks = []
    for start in range(0, n, columns):
        rows = []
        for group in pictures.values():
            row = group[start : start + columns]
            blank = np.full((columns - len(row), *row.shape[1:]), BACKGROUND, dtype="uint8")
            rows += [row, blank]
        block = grid(np.concatenate(rows), columns, scale=1 if plain else None)
        block = block if plain else framed(block, rows=list(pictures))
        blocks += [block, np.full((2 if plain else GAP, *block.shape[1:]), 255, "uint8")]
    return np.concatenate(blocks[:-1])


def beside(*images: np.ndarray) -> np.ndarray:
    """Images of one height, uint8 ``(height, width, 3)``, from left to right with white gaps."""
    gap = np.full((len(images[0]), GAP, 3), 255, "uint8")
    parts = [part for image in images for part in (image, gap)]
    return np.concatenate(parts[:-1], axis=1)
