"""How many and how much: one table, for what is trained and for what is loaded alike.

docs/reference/limits.md has it in words.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from zoo.errors import ZooError, shortened
from zoo.runtime.console import excerpt, printable

MOST_RANK = 4
"""Dimensions of one example."""

MOST_NUMBERS = 1 << 22
"""Numbers in one example, those of all its sources."""

MOST_CLASSES = 100_000
"""Classes of labels."""

MOST_COUNT = 100_000_000
"""Examples of a split, epochs, and any other setting that counts something."""

MOST_DRAWS = 1_000_000
"""Importance samples of an example, and samples that a metric draws."""

MOST_SHOWN = 10_000
"""Examples in a picture."""

MOST_WEIGHTS = 1_000
"""Arrays of weights in a model's networks: a layer has one to four."""


def check_count(
    thing: Any, setting: str, low: int, high: int = MOST_COUNT, where: str = ""
) -> None:
    """Refuse a setting that is not an integer from ``low`` to ``high``.

    Args:
        thing: the owner of the setting.
        setting: its name.
        low: the least that is accepted.
        high: the most.
        where: what the message calls the owner; by default its class.

    Raises:
        ZooError: with what is accepted.
    """
    value = getattr(thing, setting)
    whole = type(value) is int
    if not whole or not low <= value <= high:
        open_ended = high == MOST_COUNT and not (whole and value > high)
        accepted = f"at least {low:,}" if open_ended else f"from {low:,} to {high:,}"
        raise ZooError(
            f"{where or type(thing).__name__}: {setting} is an integer, {accepted}; "
            f"got {shortened(repr(value), 80)}"
        )


def check_counts(settings: Mapping[str, Any], where: str) -> None:
    """Refuse integers among settings that nothing counts up to; a seed may be any number.

    Args:
        settings: as ``zoo.plugin.serialization.plain`` gives them, or as a manifest has them.
        where: whose they are, for the message.

    Raises:
        ZooError: with the path of the setting.
    """
    for path, value in _integers(settings, where):
        if abs(value) > MOST_COUNT:
            raise ZooError(
                f"{printable(path)} is {excerpt(value)}; a number of at most {MOST_COUNT:,} is "
                "accepted"
            )


def _integers(value: Any, path: str) -> Iterator[tuple[str, int]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key != "seed":
                yield from _integers(item, f"{path}.{key}")
    elif isinstance(value, (list, tuple)):
        for place, item in enumerate(value):
            yield from _integers(item, f"{path}.{place}")
    elif isinstance(value, int):
        yield path, value


def check_shapes(shapes: Mapping[str, Sequence[int]], where: str) -> None:
    """Refuse shapes that no example may have.

    Args:
        shapes: of one example of each source.
        where: whose they are, for the message.

    Raises:
        ZooError: with the shape, and what is accepted.
    """
    for shape in shapes.values():
        if not 1 <= len(shape) <= MOST_RANK or min(shape) < 1:
            raise ZooError(
                f"{where} is {shortened(str(list(shape)), 80)}; a list of 1 to {MOST_RANK} "
                "positive integers is accepted, as the shape of one example"
            )
    numbers = sum(map(math.prod, shapes.values()))
    if numbers > MOST_NUMBERS:
        told = shortened(", ".join(str(list(shape)) for shape in shapes.values()), 80)
        raise ZooError(
            f"{where} is {told}, {excerpt(numbers)} numbers for one example; at most "
            f"{MOST_NUMBERS:,} numbers are accepted"
        )


def check_classes(classes: int, where: str) -> None:
    """Refuse more classes than labels may have."""
    if not 0 <= classes <= MOST_CLASSES:
        raise ZooError(f"{where}: {classes:,} classes; up to {MOST_CLASSES:,} are accepted")
