"""Labels as people keep them (integers, text, one-hot) become integers from 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.errors import ZooError
from zoo.plugin.limits import MOST_CLASSES, check_labels


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
        columns[part], hot = _column(np.asarray(y), f"{where}, {part}")
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


def _column(y: np.ndarray, where: str) -> tuple[np.ndarray, int]:
    """Labels ``(n,)``, of integers or text, and the classes that one-hot rows have room for."""
    if y.dtype.kind == "O":
        odd = next((i for i, v in enumerate(y) if not isinstance(v, str)), None)
        if odd is not None:
            raise ZooError(
                f"{where}: row {odd} has the label {y[odd]!r}; labels are integers from 0, or text"
            )
        y = y.astype(str)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    elif y.ndim == 2 and y.dtype.kind in "biuf":
        if not (((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all()):
            raise ZooError(f"{where}: labels {y.shape} are one-hot, a single 1 in each row of 0")
        return y.argmax(axis=1), y.shape[1]
    if y.ndim != 1:
        raise ZooError(f"{where}: labels are (n,), (n, 1) or one-hot (n, classes), not {y.shape}")
    if y.dtype.kind == "b":
        return y.astype(np.int32), 2
    if y.dtype.kind in "SUT":
        return _text(y, where), 0
    return y, 0


def _text(y: np.ndarray, where: str) -> np.ndarray:
    try:
        y = np.char.decode(y, "utf-8") if y.dtype.kind == "S" else y.astype(str)
    except UnicodeDecodeError as error:
        raise ZooError(f"{where}: labels are no UTF-8 text: {error}") from None
    if (y == "").any():
        raise ZooError(f"{where}: row {int((y == '').argmax())} has no label: leave it out")
    return y


def _tell_of_gaps(y: np.ndarray, count: int, where: str, say: Callable[[str], None]) -> None:
    """Tell of classes without an example, as where labels count from 1 or are years."""
    empty = np.flatnonzero(np.bincount(y[y >= 0].astype(np.int64), minlength=count) == 0)
    if len(empty):
        say(
            f"{where}: {len(empty):,} of {count:,} classes have no training example, such as "
            f"{empty[0]}; labels count from 0. If they are names, give them as text: "
            "y.astype(str)"
        )
