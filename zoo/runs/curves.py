"""The curves of a run, as its files hold them: by epoch, and by step where TensorBoard was told."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from zoo.errors import ZooError
from zoo.runs import event_files
from zoo.runs.run import Run
from zoo.runtime import files
from zoo.runtime.console import printable

VALIDATION = "val_"  # what the names of validation begin with in a run's table
_MOST_TABLE = 64 << 20  # bytes
_MOST_COLUMNS = 1000


@dataclass(frozen=True)
class Curve:
    """A number over a training.

    Attributes:
        at: the epochs, from 1, or the steps; ascending.
        values: as many; NaN where a number was not finite.
    """

    at: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.at)


def by_epoch(run: Run) -> dict[str, Curve]:
    """Each column of ``history.csv``, ``val_`` before the names of validation; empty without it.

    Raises:
        ZooError: the table cannot be read.
    """
    try:
        content = files.read(run.log, _MOST_TABLE)
    except FileNotFoundError:
        return {}
    found: dict[str, Curve] = {}
    try:
        for row in csv.DictReader(io.StringIO(content.decode())):
            epoch = int(row.pop("epoch") or 0)
            for name, text in list(row.items())[:_MOST_COLUMNS]:
                curve = found.setdefault(printable(name), Curve())
                curve.at.append(epoch)
                curve.values.append(_number(text))
    except (csv.Error, KeyError, ValueError, AttributeError) as error:
        raise ZooError(f"run {run.name}: {run.log.name} is no table of epochs: {error}") from error
    return found


def _number(text: str | None) -> float:
    try:
        value = float(text or "nan")
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def by_step(run: Run) -> tuple[dict[str, Curve], dict[str, Curve]]:
    """What TensorBoard was told of training, and of validation: ``{tag: curve}`` each."""
    parts: dict[str, dict[str, Curve]] = {"": {}, "validation": {}}
    for part, step, value in event_files.values(run):
        if value.WhichOneof("value") != "simple_value" or part not in parts:
            continue
        curve = parts[part].setdefault(printable(value.tag), Curve())
        if not curve.at or step > curve.at[-1]:
            curve.at.append(step)
            number = float(value.simple_value)
            curve.values.append(number if math.isfinite(number) else math.nan)
    return parts[""], parts["validation"]


def finite(curve: Curve) -> Curve:
    """The points of a curve that are numbers."""
    pairs = [(at, v) for at, v in zip(curve.at, curve.values, strict=True) if math.isfinite(v)]
    return Curve([at for at, _ in pairs], [v for _, v in pairs])


def players(names: Mapping[str, Curve]) -> list[str]:
    """The players of a training, as the names of their terms say: ``player/term``."""
    return list(dict.fromkeys(n.partition("/")[0] for n in names if "/" in n and "val_" not in n))
