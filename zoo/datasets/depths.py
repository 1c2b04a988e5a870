"""Pictures deeper than 8 bits, scaled to 8 by the range of their format, never clipped by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.errors import ZooError

if TYPE_CHECKING:
    from PIL.Image import Image

_BITS, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339  # tags of TIFF
_WHITE_IS_ZERO, _SIGNED = 0, 2


class RangeNeeded(ZooError):
    """Values of which the format does not say which is black and which is white."""


def is_deep(image: Image) -> bool:
    """Whether its values are other than 0 to 255: PIL's modes I and F, and signed bytes."""
    return image.mode[0] in "IF" or (image.mode == "L" and _tag(image, _SAMPLE_FORMAT) == _SIGNED)


def in_8_bits(
    image: Image, value_range: tuple[float, float] | None = None
) -> tuple[np.ndarray, str]:
    """A deep picture as uint8 ``(height, width)``, and in words what was done.

    Args:
        image: as PIL reads it.
        value_range: the values that become 0 and 255, those beyond them likewise; None for the
            range of the format: 0 to 65535 for 16 bits, and 0 to 1 for floats within it.

    Raises:
        RangeNeeded: the format has no such range, and none is given.
        ValueError: a value is not finite.
    """
    values = _values(image)
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise ValueError(f"row {row}, column {column} holds {values[row, column]}")
    kind = "floats" if values.dtype.kind == "f" else f"{_bits(image)}-bit integers"
    limits = value_range or _limits(image, values)
    if limits is None:
        low, high = values.min(), values.max()
        raise RangeNeeded(
            f"it holds {kind} from {low:g} to {high:g} (mode {image.mode}), and its format does "
            "not say which value is black and which is white: set both, as in "
            f"value_range={_guess(float(low), float(high))}"
        )
    low, high = limits
    scaled = np.clip((values.astype(np.float64) - low) * (255 / (high - low)), 0, 255)
    if value_range is None and _tag(image, _PHOTOMETRIC) == _WHITE_IS_ZERO:
        scaled = 255 - scaled
    return np.rint(scaled).astype(np.uint8), f"{kind}, {low:g} to {high:g}"


def _values(image: Image) -> np.ndarray:
    """The numbers as they are in the file: PIL has no modes for some of their types."""
    values = np.asarray(image)
    signed = _tag(image, _SAMPLE_FORMAT) == _SIGNED
    if image.mode == "L":
        return values.view(np.int8)
    if image.mode == "I" and image.format == "TIFF" and not signed:
        return values.view(np.uint32)
    return values


def _limits(image: Image, values: np.ndarray) -> tuple[float, float] | None:
    if image.mode == "F":
        within = values.min() >= 0 and values.max() <= 1
        return (0.0, 1.0) if within else None
    if image.mode.startswith("I;16"):
        return 0.0, 2.0 ** _bits(image) - 1
    if image.mode == "I" and image.format in ("PNG", "PPM"):
        return 0.0, 65535.0
    return None


def _bits(image: Image) -> int:
    """Bits of a value; PIL scales those of PNG and PGM to 16."""
    in_16 = image.mode.startswith("I;16") or image.format in ("PNG", "PPM")
    return _tag(image, _BITS) or (16 if in_16 else 32)


def _guess(low: float, high: float) -> tuple[float, float]:
    """A range that a person may have meant, for a message."""
    if low >= 0:
        usual: Any = next((top for top in (255, 4095, 65535) if high <= top), None)
        return (0, usual or int(np.ceil(high)))
    return (-1, 1) if low >= -1 and high <= 1 else (int(np.floor(low)), int(np.ceil(high)))


def _tag(image: Image, tag: int) -> int | None:
    """The value of a TIFF's tag, the first of several; None where there is none."""
    value = getattr(image, "tag_v2", {}).get(tag)
    return value[0] if isinstance(value, tuple) else value
