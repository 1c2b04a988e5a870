"""What no example may be: a label out of range, a value that is not finite."""

from __future__ import annotations

from typing import Any

from zoo.errors import ZooError

AS_TEXT = "Labels that are names, such as years or IDs, become classes as text: y.astype(str)."


def check_labels(
    y: Any, classes: int, where: str, missing: bool = False, names: str = AS_TEXT
) -> None:
    """Refuse labels that are not integers from 0 to ``classes - 1``.

    Args:
        y: an array ``(n,)``.
        classes: how many there may be.
        where: the labels are from, for the message.
        missing: whether -1 is accepted too, for an example without a label.
        names: what to do with labels that are names, for the message.

    Raises:
        ZooError: naming the first row that is wrong, and what to do.
    """
    if y.dtype.kind in "USTO":
        raise ZooError(f"{where}: labels are integers from 0, not text. {names}")
    if y.dtype.kind not in "iu":
        raise ZooError(f"{where}: labels are integers from 0, not {y.dtype}: y.astype('int32')")
    if not len(y):
        return
    # Python's integers: those of 64 bits, signed and unsigned, are compared as they are.
    low, high = int(y.min()), int(y.max())
    if low < -missing or high >= classes:
        wrong = low if low < -missing else high
        row = int((y == wrong).argmax())
        advice = names
        if low == -1:
            advice = (
                "Leave rows without a label out, or declare them: DataSpec(missing_labels=True)."
            )
        elif low < 0:
            advice = "Leave rows without a label out."
        raise ZooError(
            f"{where}: row {row} has the label {wrong}; labels are integers from 0 to "
            f"{classes - 1:,}. {advice}"
        )


def check_finite(x: Any, where: str) -> None:
    """Refuse examples with NaN or infinity; those not in memory are read in parts.

    Args:
        x: an array ``(n, ...)``, or what ``Split.x`` may be instead.
        where: it is from, for the message.
    """
    from zoo.plugin.lazy import blocks

    if x.dtype.kind != "f":
        return
    before = 0
    for block in blocks(x):
        found = first_not_finite(block)
        if found is not None:
            row, *place = found
            at = f" at {place}" if place else ""
            raise ZooError(
                f"{where}: row {before + row} holds {block[found]}{at}; examples are finite "
                "numbers within float32. Leave such rows out: "
                "x[np.isfinite(x.astype('float32')).reshape(len(x), -1).all(axis=1)]"
            )
        before += len(block)


def first_not_finite(x: Any) -> tuple[int, ...] | None:
    """Where in an array the first value is that is not finite; None where all are."""
    import numpy as np

    if x.dtype.kind != "f":
        return None
    with np.errstate(all="ignore"):
        if np.isfinite(x.sum(dtype=np.float64)):  # a sum needs no array beside x
            return None
    bad = ~np.isfinite(x)
    return tuple(map(int, np.unravel_index(bad.argmax(), x.shape))) if bad.any() else None
