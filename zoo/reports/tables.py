"""A comparison as text, Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from zoo.reports import differences
from zoo.reports.comparison import LEAST_SEEDS, Column, Comparison, Row, Value
from zoo.runtime import jsons
from zoo.runtime.console import columns as columns_of
from zoo.runtime.console import fitted, number, packed

MOST = 6
"""Columns of metrics in a table for people; CSV and JSON have all."""

MARK = "*"


@dataclass(frozen=True)
class Cell:
    """What stands in one place of a table.

    Attributes:
        text: for people, ``-`` where there is nothing.
        best: whether it is marked.
        number: whether it is a number, and stands to the right.
    """

    text: str
    best: bool = False
    number: bool = False


@dataclass(frozen=True)
class Grid:
    """A comparison in words.

    Attributes:
        common: what all rows share, ``{heading: text}``.
        headings: of the columns.
        rows: a cell per heading.
        names: how many columns from the first say which experiment a row is.
        notes: below the table, each a line.
    """

    common: dict[str, str]
    headings: list[str]
    rows: list[list[Cell]]
    names: int
    notes: list[str]


def grid(comparison: Comparison) -> Grid:
    """The cells and notes that text, Markdown and HTML show."""
    rows, shown = comparison.rows, comparison.columns[:MOST]
    titles = differences.short(comparison.settings)
    alike = [key for key in comparison.differing if key != "status"]
    status = ["status"] if any(row.about["status"] != "finished" for row in rows) else []
    parts: list[tuple[str, list[Cell]]] = [
        *((key, [Cell(row.about[key]) for row in rows]) for key in alike),
        *(
            (titles[path], [Cell(row.settings.get(path, "-")) for row in rows])
            for path in comparison.settings
        ),
    ]
    names = len(parts)
    parts += [
        *((key, [Cell(row.about[key]) for row in rows]) for key in status),
        ("seeds", [Cell(_seeds(row.seeds)) for row in rows]),
        *((column.title, [_cell(row, row.values.get(column)) for row in rows]) for column in shown),
        ("parameters", [Cell(_whole(row.parameters), number=True) for row in rows]),
        ("seconds", [Cell(_seconds(row.seconds), number=True) for row in rows]),
    ]
    if len({tuple(row.abilities) for row in rows}) > 1:
        parts.append(("can", [Cell(", ".join(row.abilities) or "-") for row in rows]))
    common = {
        key: rows[0].about[key] for key in rows[0].about if key not in (*alike, *status, "status")
    }
    cells = [list(row) for row in zip(*(cells for _, cells in parts), strict=True)]
    return Grid(common, [title for title, _ in parts], cells, names, _notes(comparison))


def text(comparison: Comparison, stream: TextIO) -> str:
    """The table in text; blocks of lines, one per row, where a terminal is too narrow for it."""
    found = grid(comparison)
    lines = ["  ".join(f"{heading}: {value}" for heading, value in found.common.items()), ""]
    cells = [[Cell(heading) for heading in found.headings], *found.rows]
    drawn = [[f"{cell.text} {MARK}" if cell.best else cell.text for cell in row] for row in cells]
    widths = [max(map(len, column)) for column in zip(*drawn, strict=True)]
    wide = columns_of(stream)
    if wide is None or sum(widths) + 2 * (len(widths) - 1) <= wide:
        lines += [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in drawn
        ]
    else:
        for row in drawn[1:]:
            items = [
                "" if cell == "-" else f"{heading} {cell}"
                for heading, cell in zip(found.headings, row, strict=True)
            ]
            names = max(found.names, 1)
            first, rest = filter(None, items[:names]), filter(None, items[names:])
            lines += packed(first, wide)
            lines += [*(f"  {line}" for line in packed(rest, wide - 2)), ""]
        lines.pop()
    lines += ["", *found.notes]
    return fitted("\n".join(lines), stream)


def markdown(comparison: Comparison) -> str:
    """The table as Markdown has it; the best is bold."""
    return drawn(grid(comparison))


def drawn(found: Grid) -> str:
    """A grid as Markdown has it."""
    common = ", ".join(f"{heading} {value}" for heading, value in found.common.items())
    under = ["---:" if cell.number else "---" for cell in found.rows[0]]
    rows = [
        [f"**{_escaped(cell.text)}**" if cell.best else _escaped(cell.text) for cell in row]
        for row in found.rows
    ]
    table = [[_escaped(heading) for heading in found.headings], under, *rows]
    notes = [f"- {_escaped(note)}" for note in found.notes]
    lines = [_escaped(common), "", *(f"| {' | '.join(row)} |" for row in table), "", *notes]
    return "\n".join(lines)


def comma_separated(comparison: Comparison) -> str:
    """The table as CSV.

    Of each metric it has the mean, the standard deviation, the number of seeds, the protocol, and
    what was left of it where it was shortened.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    about = list(comparison.rows[0].about)
    headings = [*about, *comparison.settings, "seeds", "parameters", "seconds"]
    for column in comparison.columns:
        headings += [
            f"{column.title} {what}" for what in ("mean", "sd", "n", "protocol", "shortened")
        ]
    writer.writerow(headings)
    for row in comparison.rows:
        cells: list[Any] = [*row.about.values()]
        cells += [row.settings.get(path, "") for path in comparison.settings]
        cells += [" ".join(map(str, row.seeds)), row.parameters, row.seconds]
        for column in comparison.columns:
            value = row.values.get(column)
            if value is None:
                cells += [None] * 5
                continue
            short = "; ".join(words or "all" for words in value.shortened)
            cells += [value.mean, value.deviation, value.n, column.protocol, short]
        writer.writerow(["" if cell is None else cell for cell in cells])
    return out.getvalue().rstrip("\n")


def json(comparison: Comparison) -> str:
    """The table as JSON: all numbers, with their protocols."""
    columns = [
        {
            "title": column.title,
            "metric": column.metric,
            "detail": column.detail or None,
            "unit": column.unit,
            "protocol": column.protocol,
            "better": column.better or None,
        }
        for column in comparison.columns
    ]
    rows = [
        {
            **row.about,
            "settings": {path: row.settings.get(path) for path in comparison.settings},
            "seeds": row.seeds,
            "runs": row.runs,
            "parameters": row.parameters,
            "seconds": row.seconds,
            "abilities": row.abilities,
            "measured": {
                column.title: {
                    "mean": value.mean,
                    "standard_deviation": value.deviation,
                    "n": value.n,
                    "shortened": value.shortened,
                    "best": value.best,
                }
                for column, value in row.values.items()
            },
        }
        for row in comparison.rows
    ]
    return jsons.text({"rows": rows, "columns": columns, "left_out": comparison.older})


def _notes(comparison: Comparison) -> list[str]:
    rows, shown = comparison.rows, comparison.columns[:MOST]
    values = [value for row in rows for column, value in row.values.items() if column in shown]
    by_protocol: dict[str, list[str]] = {}  # a metric and its details share one
    for column in shown:
        by_protocol.setdefault(column.protocol, []).append(_called(column))
    notes = [f"{', '.join(names)}: {protocol}" for protocol, names in by_protocol.items()]
    if len(comparison.columns) > MOST:
        rest = ", ".join(dict.fromkeys(column.name for column in comparison.columns[MOST:]))
        notes.append(f"measured too: {rest}; --metric NAME shows it")
    if shortened := dict.fromkeys(filter(None, (w for value in values for w in value.shortened))):
        notes.append(
            f"~ is of a shortened protocol ({'; '.join(shortened)}); of the whole one: "
            "zoo evaluate RUN --full"
        )
    if any(value.deviation is not None for value in values):
        notes.append("± is the standard deviation over the seeds of a row (n - 1)")
    if any(value.best for value in values):
        notes.append(
            "marked as best: its mean is better than each other one by more than twice their "
            f"pooled standard deviation, each of {LEAST_SEEDS} seeds or more"
        )
    if older := comparison.older:
        what = "a run of the same settings and seed is" if len(older) == 1 else "runs are"
        notes.append(f"left out, where {what} newer: {', '.join(older)}")
    return notes


def _called(column: Column) -> str:
    return f"{column.name} [{column.number}]" if column.number else column.name


def _cell(row: Row, value: Value | None) -> Cell:
    if value is None:
        return Cell("-", number=True)
    shown = ("~" if value.shortened else "") + number(value.mean)
    if value.deviation is not None:
        shown += f" ± {number(value.deviation, digits=2)}"
    if value.n != len(row.seeds):
        shown += f" (n = {value.n})"
    return Cell(shown, value.best, number=True)


def _seeds(seeds: Sequence[int]) -> str:
    """The seeds of a row, with their number where there are several."""
    if len(seeds) == 1:
        return str(seeds[0])
    whole = list(range(seeds[0], seeds[0] + len(seeds)))
    listed = f"{seeds[0]} to {seeds[-1]}" if whole == list(seeds) and len(seeds) > 3 else ""
    return f"{len(seeds)}: {listed or ' '.join(map(str, seeds))}"


def _whole(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.1f}"


def _escaped(text: str) -> str:
    """Text of one line in which nothing means anything to Markdown."""
    text = " ".join(text.splitlines())
    for sign in ("\\", "|", "*", "_", "`", "<", "[", "]", "~"):
        text = text.replace(sign, f"\\{sign}")
    return text
