"""Points in the plane."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from zoo.reports.pictures.text import SIZE, class_names, font

GREY, BLUE = (190, 190, 190), (31, 92, 190)

COLOURS = (
    (63, 144, 218),  # blue
    (255, 169, 14),  # orange
    (189, 31, 1),  # red
    (148, 164, 162),  # grey
    (131, 45, 182),  # violet
    (169, 107, 89),  # brown
    (231, 99, 0),  # dark orange
    (185, 172, 112),  # tan
    (113, 117, 129),  # dark grey
    (146, 218, 221),  # light cyan
)
"""Of the labels 0 to 9: the ten of Petroff 2021, which people with any colour vision tell apart."""

_MANY = 2000  # points, of which each is smaller
SMOOTH = 2  # drawn this much larger, then made smaller: round dots


def scatter(points: np.ndarray, reference: np.ndarray | None = None, size: int = 800) -> np.ndarray:
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
    centre, reach = _frame(clouds[0][0], 1.2)
    size, dot = size * SMOOTH, _dot(points)
    image = Image.new("RGB", (size, size), "white")
    draw = ImageDraw.Draw(image)
    for cloud, colour in clouds:
        places = (cloud - centre) / reach
        for x, y in places[(np.abs(places) <= 1.0).all(axis=1)]:
            draw.circle(((1 + x) / 2 * size, (1 - y) / 2 * size), dot, fill=colour)
    return np.asarray(image.reduce(SMOOTH))


def by_label(
    points: np.ndarray,
    labels: np.ndarray | None = None,
    axes: tuple[str, str] = ("", ""),
    size: int = 860,
    names: Sequence[str] = (),
) -> np.ndarray:
    """Points in the plane, coloured by label, with axes and a legend.

    Each label also stands where the middle of its points is.

    Args:
        points: float ``(n, 2)``; what is not finite is left out.
        labels: integers ``(n,)``, or None. Of more labels than there are ``COLOURS``, none
            is coloured.
        axes: what the axis to the right and the one up are called.
        size: width and height of the plot itself, in pixels.
        names: of the classes, in the order of their labels; numbers stand for those without.

    Returns:
        An image, uint8 ``(height, width, 3)``, the second coordinate pointing up.
    """
    points = np.asarray(points, dtype="float64")
    finite = np.isfinite(points).all(axis=1)
    points, labels = points[finite], None if labels is None else np.asarray(labels)[finite]
    found = [] if labels is None else sorted(set(labels.tolist()))
    if len(found) > len(COLOURS):
        labels, found = None, []
    colours = dict(zip(found, COLOURS, strict=False))
    centre, reach = _frame(points, 1.1)
    size, margin, top, text = size * SMOOTH, 48 * SMOOTH, 8 * SMOOTH, font(SIZE * SMOOTH)
    called = dict(zip(found, class_names(found, names), strict=True))
    widest = math.ceil(max((text.getlength(name) for name in called.values()), default=0))
    large = 24 if max(map(len, called.values()), default=0) <= 3 else SIZE
    legend = max(60 * SMOOTH, widest + 44 * SMOOTH) if found else 10 * SMOOTH
    image = Image.new("RGB", (margin + size + legend, top + size + margin), "white")
    draw = ImageDraw.Draw(image)

    def place(point):
        x, y = (np.asarray(point) - centre) / reach
        return margin + (1 + x) / 2 * size, top + (1 - y) / 2 * size

    for x in _round_numbers(centre[0] - reach, centre[0] + reach):
        at = place((x, centre[1]))[0]
        draw.line((at, top, at, top + size), (232, 232, 232), SMOOTH)
        draw.text((at, top + size + 4 * SMOOTH), f"{x:g}", "black", text, anchor="mt")
    for y in _round_numbers(centre[1] - reach, centre[1] + reach):
        at = place((centre[0], y))[1]
        draw.line((margin, at, margin + size, at), (232, 232, 232), SMOOTH)
        draw.text((margin - 4 * SMOOTH, at), f"{y:g}", "black", text, anchor="rm")
    draw.rectangle((margin, top, margin + size, top + size), outline=GREY, width=SMOOTH)
    draw.text((margin + size - 6, top + size - 6), axes[0], "black", text, anchor="rb")
    draw.text((margin + 6, top + 6), axes[1], "black", text, anchor="lt")
    dot = _dot(points)
    for i, point in enumerate(points):
        colour = BLUE if labels is None else colours[labels[i]]
        draw.circle(place(point), dot, fill=colour)
    for i, label in enumerate(found):
        own = points[labels == label]
        middle = place(np.median(own, axis=0))
        draw.text(
            middle,
            called[label],
            "black",
            font(large * SMOOTH),
            anchor="mm",
            stroke_width=3 * SMOOTH,
            stroke_fill="white",
        )
        x, y = margin + size + 16 * SMOOTH, top + (12 + 28 * i) * SMOOTH
        draw.circle((x, y), 6 * SMOOTH, fill=colours[label])
        draw.text((x + 14 * SMOOTH, y), called[label], "black", text, anchor="lm")
    return np.asarray(image.reduce(SMOOTH))


def _dot(points: np.ndarray) -> int:
    """The radius of a point, in pixels of the larger drawing."""
    return SMOOTH * (3 if len(points) <= _MANY else 2)


def _frame(points: np.ndarray, room: float) -> tuple[np.ndarray, float]:
    """The middle of the axes, and what they reach to each side: one unit is equally long on both.

    Args:
        points: ``(n, 2)``.
        room: how much more than the points take the axes reach over.
    """
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        points = np.zeros((1, 2))
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    return centre, max(float(np.ptp(points, axis=0).max()) / 2 * room, 1e-6)


def _round_numbers(low: float, high: float) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten between two numbers, 4 to 10 of them."""
    power = 10.0 ** math.floor(math.log10((high - low) / 4))
    step = max(power * k for k in (1, 2, 5) if power * k <= (high - low) / 4)
    return [step * k for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
