"""Pictures one after the other: as a GIF, or beside each other."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from zoo.reports.pictures.grids import GAP
from zoo.reports.pictures.text import caption

WIDEST = 640  # pixels of a picture in a GIF, and 320 of one in a strip
PAUSE = 5  # times as long as another one the last picture is shown


def gif(images: Sequence[np.ndarray], milliseconds: int = 200, pause: int = PAUSE) -> bytes:
    """A GIF that goes round for ever.

    Args:
        images: uint8 ``(height, width, 3)`` each; smaller ones get a white border.
        milliseconds: that each is shown, the last one ``pause`` times as long.
    """
    frames = [Image.fromarray(image) for image in _alike([fitted(i, WIDEST) for i in images])]
    # one palette for all: one each would make the background flicker
    sheet = np.concatenate([np.asarray(frame) for frame in _some(frames)])
    palette = Image.fromarray(sheet).quantize(256, dither=Image.Dither.NONE)
    drawn = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    lasting = [milliseconds] * (len(drawn) - 1) + [milliseconds * pause]
    content = io.BytesIO()
    drawn[0].save(content, "GIF", save_all=True, append_images=drawn[1:], duration=lasting, loop=0)
    return content.getvalue()


def strip(images: Sequence[np.ndarray]) -> np.ndarray:
    """The images from left to right with white gaps, the first ones left."""
    alike = _alike([fitted(image, WIDEST // 2) for image in images])
    gap = np.full((len(alike[0]), GAP, 3), 255, "uint8")
    return np.concatenate([part for image in alike for part in (image, gap)][:-1], axis=1)


def titled(image: np.ndarray, text: str, widest: int) -> np.ndarray:
    """An image made as narrow as it will be shown, with a caption that stays legible."""
    return caption(fitted(image, widest), text)


def fitted(image: np.ndarray, widest: int) -> np.ndarray:
    """An image that is no wider than so many pixels."""
    height, width = image.shape[:2]
    if width <= widest:
        return image
    size = (widest, max(1, round(height * widest / width)))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))


def _some(frames: Sequence[Image.Image], most: int = 8) -> list[Image.Image]:
    """Frames of all parts of a film."""
    rows = np.linspace(0, len(frames) - 1, min(most, len(frames))).astype(int)
    return [frames[row] for row in rows]


def _alike(images: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Images of one size, white to the right and below where one was smaller."""
    height, width = (max(image.shape[side] for image in images) for side in (0, 1))
    whole = [np.full((height, width, 3), 255, "uint8") for _ in images]
    for blank, image in zip(whole, images, strict=True):
        blank[: image.shape[0], : image.shape[1]] = image
    return whole
