"""Sizes of the maps of a picture on its way through convolutions."""

from __future__ import annotations

from collections.abc import Sequence

from zoo.errors import ZooError


def maps(shape: Sequence[int], halvings: int) -> list[tuple[int, int]]:
    """Height and width after each halving of a picture, largest first: 28 gives 14, 7.

    Raises:
        ZooError: not a picture, no halving, or the sides do not halve evenly that often.
    """
    if len(shape) != 3:
        raise ZooError(f"convolutions need pictures (height, width, channels), not {tuple(shape)}")
    height, width, _ = shape
    most = 0
    while height % 2 ** (most + 1) == 0 == width % 2 ** (most + 1):
        most += 1
    if not most:
        raise ZooError(
            f"the sides of {height} x {width} pictures cannot be halved: layers of stride 2 need "
            "even sides"
        )
    if not 1 <= halvings <= most:
        raise ZooError(
            f"the sides of {height} x {width} pictures can be halved {most} times, and stay whole: "
            f"give filters of 1 to {most} layers of stride 2, not of {halvings}"
        )
    return [(height // 2**i, width // 2**i) for i in range(1, halvings + 1)]


def halvings(shape: Sequence[int]) -> int:
    """How often a picture's sides halve while they are even and above 4.

    >>> halvings((28, 28, 1)), halvings((32, 32, 3))
    (2, 3)

    Raises:
        ZooError: not a picture, or not even once.
    """
    height, width = shape[:2] if len(shape) == 3 else (0, 0)
    count = 0
    while height % 2 == 0 and width % 2 == 0 and min(height, width) > 4:
        height, width, count = height // 2, width // 2, count + 1
    if not count:
        raise ZooError(f"pictures need sides that are even and above 4, not {tuple(shape)}")
    return count


def doubled(filters: int, shape: Sequence[int]) -> tuple[int, ...]:
    """Filters of an encoder of pictures: they double as the maps halve, as ``halvings`` says.

    >>> doubled(32, (28, 28, 1)), doubled(32, (2,))
    ((32, 64), ())

    Args:
        filters: of the first convolution.
        shape: of an example; for one that is no picture there are no convolutions.

    Raises:
        ZooError: as ``halvings``.
    """
    return tuple(filters * 2**i for i in range(halvings(shape))) if len(shape) == 3 else ()


def fitted(
    shape: Sequence[int], *, filters: int = 32, units: Sequence[int] = (512, 256)
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Filters and units of an encoder for examples of whatever shape, only one of them not empty.

    >>> fitted((64, 64, 3)), fitted((27, 27, 1)), fitted((10,))
    (((32, 64, 128, 256), ()), ((), (512, 256)), ((), (512, 256)))

    Args:
        shape: of an example.
        filters: of the first convolution of pictures whose sides halve evenly: as ``doubled``,
            and at most eight times as many.
        units: of the dense layers of all else.
    """
    try:
        found = doubled(filters, shape)
    except ZooError:  # sides that do not halve
        found = ()
    return tuple(min(count, 8 * filters) for count in found), () if found else tuple(units)
