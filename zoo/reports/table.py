"""Runs beside each other in one table: what was measured, and what each model can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.runs import results
from zoo.runs.run import Run

COLUMNS = {
    "log p(x), nats": (("log_likelihood", None), ("elbo", None)),
    "MSE": (("mse", None), ("compression", "mse")),
    "recognized": (("recognition", None),),
    "real": (("recognition", "real"),),
    "least class": (("recognition", "least_class"),),
    "linear probe": (("linear_probe", None),),
}
"""``{column: (metric, detail or None for its value)}``, of which the first measured is shown."""


@dataclass(frozen=True)
class Row:
    """One run in the table.

    Attributes:
        model: its registered name, or its class.
        recipe: the recipe's name.
        run: the run's name.
        data: name of the data that it was trained on.
        seconds: of training and validation, or None.
        measured: ``{column: number}``, without those that were not measured.
        protocols: ``{metric: how it was measured}`` of what the columns show.
        shortened: the columns whose protocol was not whole.
        abilities: what the model can do.
    """

    model: str
    recipe: str
    run: str
    data: str
    seconds: float | None
    measured: dict[str, float]
    protocols: dict[str, str]
    shortened: list[str]
    abilities: list[str]


def row(run: Run, more: Mapping[str, Any] | None = None) -> Row:
    """What the table says of a run.

    Args:
        run: the run.
        more: what was measured of it besides what it keeps.
    """
    manifest = run.manifest
    metrics = {**results.kept(run), **(more or {})}
    measured, protocols, shortened = {}, {}, []
    for column, places in COLUMNS.items():
        for metric, detail in places:
            found = metrics.get(metric)
            if found is not None and (detail is None or detail in found["details"]):
                measured[column] = found["details"][detail] if detail else found["value"]
                protocols[metric] = found["protocol"]
                shortened += [column] if found.get("shortened") else []
                break
    return Row(
        model=manifest.model.title,
        recipe=manifest.recipe,
        run=run.name,
        data=manifest.data.name,
        seconds=manifest.finished_in_seconds,
        measured=measured,
        protocols=protocols,
        shortened=shortened,
        abilities=manifest.abilities,
    )


def table(rows: Sequence[Row]) -> str:
    """The table in text: a column for all that any run has, ``-`` where one has none.

    A number after ``~`` is of a shortened protocol. Protocols follow, each said once with the
    runs that it holds for.
    """
    columns = [column for column in COLUMNS if any(column in row.measured for row in rows)]
    cells = [["recipe", "model", "data", *columns, "seconds", "can"]]
    for row in rows:
        numbers = [
            ("~" if column in row.shortened else "") + _number(row.measured.get(column))
            for column in columns
        ]
        can = ", ".join(row.abilities)
        seconds = "-" if row.seconds is None else f"{row.seconds:.0f}"
        cells.append([row.recipe, row.model, row.data, *numbers, seconds, can])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
    holds: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for metric, protocol in row.protocols.items():
            holds.setdefault((metric, protocol), []).append(row.run)
    for (metric, protocol), runs in holds.items():
        lines += ["", f"{metric} of {', '.join(runs)}:", f"  {protocol}"]
    return "\n".join(lines)


def _number(value: Any) -> str:
    return "-" if value is None else f"{value:.4g}"
