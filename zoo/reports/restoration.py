"""Pictures that are spoilt, and what a model makes whole of them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from zoo.errors import ZooError, nearest
from zoo.random import Generator

PARTS = ("left", "right", "top", "bottom", "centre")
ROUNDS = 50


def unit(x: np.ndarray) -> np.ndarray:
    """Examples as floats, uint8 pictures in [0, 1]."""
    return np.asarray(x).astype("float32") / (255 if x.dtype == np.uint8 else 1)


def noisy(x: np.ndarray, sigma: float, seed: int = 0) -> np.ndarray:
    """Examples with normal noise of this standard deviation; pictures are cut to [0, 1].

    Args:
        x: pictures ``(n, h, w, c)``, uint8 or float32 in [0, 1], or vectors ``(n, d)``.
        sigma: for pictures on the scale from 0, black, to 1, white.
        seed: of the noise.

    Returns:
        float32 like ``x``.
    """
    noise = keras.ops.convert_to_numpy(Generator(seed, "noise", on_host=True).normal(x.shape))
    spoilt = unit(x) + np.float32(sigma) * noise
    return np.clip(spoilt, 0, 1) if x.ndim == 4 else spoilt


def mask(shape: tuple[int, ...], what: str, seed: int = 0) -> np.ndarray:
    """Which pixels are hidden.

    Args:
        shape: of the pictures, ``(n, h, w, c)``.
        what: a half, ``"left"``, ``"right"``, ``"top"`` or ``"bottom"``; ``"centre"``, a
            rectangle of half the sides; or a share in (0, 1) of pixels drawn at random, such
            as ``"0.5"``.
        seed: of the draw.

    Returns:
        bool ``(n, h, w, 1)``, true where hidden.

    Raises:
        ZooError: it is none of these.
    """
    n, height, width = shape[:3]
    hidden = np.zeros((n, height, width, 1), bool)
    rows, columns = slice(None), slice(None)
    if what in ("left", "right"):
        columns = slice(None, width // 2) if what == "left" else slice(width // 2, None)
    elif what in ("top", "bottom"):
        rows = slice(None, height // 2) if what == "top" else slice(height // 2, None)
    elif what == "centre":
        rows = slice(height // 4, height // 4 + height // 2)
        columns = slice(width // 4, width // 4 + width // 2)
    else:
        draw = Generator(seed, "mask", on_host=True).uniform(hidden.shape)
        return keras.ops.convert_to_numpy(draw) < _share(what)
    hidden[:, rows, columns] = True
    return hidden


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise ZooError(
            f"a mask is {', '.join(PARTS)} or a share of the pixels between 0 and 1, "
            f"not {text!r}{nearest(text, PARTS)}"
        )
    return share


def completed(model: Any, x: np.ndarray, hidden: np.ndarray, labels=None) -> np.ndarray:
    """Fill hidden pixels in by iterated projection.

    They start as grey. Each round reconstructs the whole picture and takes over what it says
    of the hidden pixels, while the others stay as they are: so the picture comes nearer to
    those that the model has learned. Rezende et al. 2014 impute missing data so, but draw a
    code in each round; here it is what ``reconstruct`` takes, such as the mean.

    Args:
        model: a ``GenerativeModel`` that can reconstruct.
        x: pictures ``(n, h, w, c)``, uint8 or float32 in [0, 1].
        hidden: bool ``(n, h, w, 1)``, true where hidden.
        labels: int32 ``(n,)``, for a conditional model.

    Returns:
        float32 ``(n, h, w, c)`` in [0, 1], the visible pixels as in ``x``.
    """
    filled = covered(x, hidden)
    for _ in range(ROUNDS):
        filled = np.where(hidden, model.reconstruct(filled, labels=labels), filled)
    return filled


def covered(x: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Pictures, float32 in [0, 1], whose hidden pixels are grey."""
    return np.where(hidden, np.float32(0.5), unit(x))
