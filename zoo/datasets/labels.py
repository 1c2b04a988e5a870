"""Labels as people keep them (integers, text, one-hot) become integers from 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.errors import ZooError
from zoo.plugin.examples import check_labels
from zoo.plugin.labels import column
from zoo.plugin.limits import MOST_CLASSES


@dataclass(frozen=True)
class Classes:
    """The classes of a dataset, and its labels.

    Attributes:
        y: ``{part: int32 (n,)}``.
        count: how many classes there are.
        names: of the classes, in order; empty where the labels were numbers.
    """

    y: dict[str, np.ndarray]
    count: int
    names: tuple[str, ...] = ()


def classes_of(
    given: Mapping[str, Any],
    where: str,
    say: Callable[[str], None],
    names: Sequence[str] = (),
    missing: bool = False,
) -> Classes:
    """The classes of labels.

    Integers from 0 are classes already. Text gives a class for each different one, in the order
    of their names. One-hot rows ``(n, classes)`` give the place of their 1.

    Args:
        given: ``{part: labels}``, arrays or lists, ``(n,)``, ``(n, 1)`` or one-hot.
        where: they are from, for messages.
        say: told of classes without an example.
        names: of the classes, where they are known; labels are then integers below their number.
        missing: whether -1 is accepted, for an example without a label.

    Raises:
        ZooError: they are something else, are out of range, or are of too many classes.
    """
    columns, width = {}, 0
    for part, y in given.items():
        columns[part], hot = column(np.asarray(y), f"{where}, {part}")
        width = max(width, hot)
    text = [part for part, y in columns.items() if y.dtype.kind == "U"]
    if text and len(text) < len(columns):
        raise ZooError(f"{where}: the labels of {text[0]} are text, and others are not")
    if text:
        found, inverse = np.unique(np.concatenate(list(columns.values())), return_inverse=True)
        names = tuple(map(str, found))
        ends = np.cumsum([len(y) for y in columns.values()])
        columns = dict(zip(columns, np.split(inverse.ravel(), ends[:-1]), strict=True))
    if len(names) > MOST_CLASSES or width > MOST_CLASSES:
        raise ZooError(
            f"{where}: {max(len(names), width):,} classes; up to {MOST_CLASSES:,} are accepted"
        )
    for part, y in columns.items():
        check_labels(y, len(names) or MOST_CLASSES, f"{where}, {part}", missing)
    most = max((int(y.max()) + 1 for y in columns.values() if len(y)), default=0)
    count = len(names) or max(width, most)
    if not names and len(columns["train"]):
        _tell_of_gaps(columns["train"], count, where, say)
    return Classes({p: y.astype(np.int32) for p, y in columns.items()}, count, tuple(names))


def _tell_of_gaps(y: np.ndarray, count: int, where: str, say: Callable[[str], None]) -> None:
    """Tell of classes without an example, as where labels count from 1 or are years."""
    empty = np.flatnonzero(np.bincount(y[y >= 0].astype(np.int64), minlength=count) == 0)
    if len(empty):
        say(
            f"{where}: {len(empty):,} of {count:,} classes have no training example, such as "
            f"{empty[0]}; labels count from 0. If they are names, give them as text: "
            "y.astype(str)"
        )
