"""Labels in the forms that people keep them in: a column, one-hot rows, text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.errors import ZooError

if TYPE_CHECKING:
    import numpy as np


def column(y: np.ndarray, where: str) -> tuple[np.ndarray, int]:
    """Labels in one column, whatever form they came in.

    Args:
        y: an array ``(n,)``, ``(n, 1)`` or one-hot ``(n, classes)``, of numbers or text.
        where: they are from, for messages.

    Returns:
        Labels ``(n,)``, of numbers as they came or text; and how many classes they have room
        for, which one-hot rows and booleans say, else 0.

    Raises:
        ZooError: another shape, rows that are not one-hot, or no label in a row.
    """
    import numpy as np

    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.dtype.kind == "O" and y.ndim == 1:
        odd = next((i for i, v in enumerate(y) if not isinstance(v, str)), None)
        if odd is not None:
            raise ZooError(
                f"{where}: row {odd} has the label {y[odd]!r}; labels are integers from 0, or text"
            )
        y = y.astype(str)
    if y.ndim == 2 and y.dtype.kind in "biuf":
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
    import numpy as np

    try:
        y = np.char.decode(y, "utf-8") if y.dtype.kind == "S" else y.astype(str)
    except UnicodeDecodeError as error:
        raise ZooError(f"{where}: labels are no UTF-8 text: {error}") from None
    if (y == "").any():
        raise ZooError(f"{where}: row {int((y == '').argmax())} has no label: leave it out")
    return y
