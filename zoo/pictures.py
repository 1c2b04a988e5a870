"""Pictures for people: grids of samples, pairs, scatter plots, captions, PNG files.

Pictures come in as float32 in [0, 1] or uint8, channels last, with one channel or
three; an image is a uint8 array ``(height, width, 3)``.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

BACKGROUND = 96  # a grey that tells apart neighbours with black and with white borders
GREY, BLUE = (190, 190, 190), (31, 92, 190)


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
        scale: whole factor to enlarge by; by default what brings small pictures
            near 64 pixels.

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
    scale = scale or max(1, 64 // max(height, width))
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


def pairs(originals: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """A grid of originals, each row of them followed by the row of their reconstructions.

    Args:
        originals: pictures ``(n, h, w, c)``, float32 in [0, 1] or uint8.
        reconstructions: pictures of the same shape.

    Returns:
        An image, uint8 ``(height, width, 3)``.

    Raises:
        ValueError: the shapes differ, or are not those of pictures.
    """
    originals, reconstructions = to_uint8(originals), to_uint8(reconstructions)
    if originals.shape != reconstructions.shape:
        raise ValueError(
            f"originals {originals.shape} and reconstructions {reconstructions.shape} differ"
        )
    n = len(originals)
    columns = min(n, math.ceil(math.sqrt(2 * n)))
    rows = []
    for start in range(0, n, columns):
        for pictures in (originals, reconstructions):
            row = pictures[start : start + columns]
            blank = np.full((columns - len(row), *row.shape[1:]), BACKGROUND, dtype="uint8")
            rows += [row, blank]
    return grid(np.concatenate(rows), columns=columns)


def scatter(points: np.ndarray, reference: np.ndarray | None = None, size: int = 400) -> np.ndarray:
    """Points in the plane as blue dots, over grey dots of what they should look like.

    Args:
        points: float ``(n, 2)``; what is not finite or lies outside the axes is left out.
        reference: float ``(m, 2)``. It sets the axes, so that one reference makes
            the images of all epochs comparable; by default ``points`` do.
        size: width and height of the image.

    Returns:
        An image, uint8 ``(size, size, 3)``, the second coordinate pointing up.
    """
    clouds = [(np.asarray(points, dtype="float64"), BLUE)]
    if reference is not None:
        clouds.insert(0, (np.asarray(reference, dtype="float64"), GREY))
    frame = clouds[0][0]
    frame = frame[np.isfinite(frame).all(axis=1)]
    if not len(frame):
        frame = np.zeros((1, 2))
    centre = (frame.min(axis=0) + frame.max(axis=0)) / 2
    # One unit is equally long on both axes, with a tenth of room around.
    reach = max(float(np.ptp(frame, axis=0).max()) * 0.6, 1e-6)
    image = Image.new("RGB", (size, size), "white")
    draw = ImageDraw.Draw(image)
    for cloud, colour in clouds:
        places = (cloud - centre) / reach
        for x, y in places[(np.abs(places) <= 1.0).all(axis=1)]:
            draw.circle(((1 + x) / 2 * size, (1 - y) / 2 * size), 2, fill=colour)
    return np.asarray(image)


def caption(image: np.ndarray, text: str) -> np.ndarray:
    """The image with a white strip of text under it, made wider where the text needs it."""
    font = ImageFont.load_default()
    margin = 4
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).textbbox((0, 0), text, font)
    height, width = image.shape[:2]
    strip = math.ceil(bottom - top) + 2 * margin
    whole = Image.new("RGB", (max(width, math.ceil(right - left) + 2 * margin), height + strip))
    whole.paste("white", (0, 0, *whole.size))
    whole.paste(Image.fromarray(image), (0, 0))
    ImageDraw.Draw(whole).text((margin - left, height + margin - top), text, "black", font)
    return np.asarray(whole)


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
