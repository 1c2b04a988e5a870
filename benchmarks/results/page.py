"""The tables of docs/lab/results.md, each between two marks that say what it shows.

    <!-- results: gan_ring wgan_gp_* | mode_coverage mode_coverage.high_quality -->
    <!-- end -->

Before the bar stand recipes, or patterns of them; behind it the columns, ``NAME`` or
``NAME.DETAIL`` of metrics. Runs that differ in their seed alone are one row, and each protocol has
a column of its own, as in ``zoo compare``. The row with the best figure of the first column is the
first; the smallest, where that is a detail.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import re
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks import table
from benchmarks.results import published
from benchmarks.results.kept import ADD, Kept
from benchmarks.results.published import Figure
from zoo.errors import ZooError
from zoo.reports import comparison, tables
from zoo.reports.comparison import Column, Comparison, Row
from zoo.reports.tables import Cell, Grid

PAGE = Path(__file__).parents[2] / "docs/lab/results.md"

_BEGIN = re.compile(r"<!-- results: ([^|>]+)\|([^>]+)-->\n")
_BEHIND = ("model", "backend")  # columns that stand behind the figures
_OWN = ("python", "keras")  # versions that are said of each run, beside its backend's


def rendered(page: str, kept: Sequence[Kept], figures: Sequence[Figure] = ()) -> str:
    """The page with all its tables made of the runs that are kept.

    Args:
        page: its text, with marks.
        kept: the runs.
        figures: published ones, which stand beside those of ours.

    Raises:
        ZooError: a mark without an end, or one that no run or no number is there for.
    """
    parts, rest = [], page
    while begin := _BEGIN.search(rest):
        patterns, columns = begin[1].split(), begin[2].split()
        _, end, after = rest[begin.end() :].partition(table.END)
        if not end or _BEGIN.search(rest[begin.end() : -len(after) or None]):
            raise ZooError(f"{begin[0].strip()} has no {table.END} below its table")
        text = _table(fitting(kept, patterns), patterns, columns, figures)
        parts.append(f"{rest[: begin.end()]}\n{text}\n\n{end}")
        rest = after
    return "".join([*parts, rest])


def unshown(page: str, kept: Sequence[Kept]) -> list[str]:
    """The files of runs that no table of the page shows."""
    patterns = [pattern for begin in _BEGIN.finditer(page) for pattern in begin[1].split()]
    shown = fitting(kept, patterns)
    return [each.file for each in kept if each not in shown]


def fitting(kept: Iterable[Kept], patterns: Sequence[str]) -> list[Kept]:
    """The runs whose recipe is one of those named, or fits a pattern."""
    return [
        each
        for each in kept
        if any(fnmatch.fnmatchcase(each.recipe, pattern) for pattern in patterns)
    ]


def _table(
    kept: Sequence[Kept],
    patterns: Sequence[str],
    columns: Sequence[str],
    figures: Sequence[Figure],
) -> str:
    if not kept:
        raise ZooError(f"no run of {' '.join(patterns)} is kept: {ADD}")
    if len(columns) > tables.MOST:
        raise ZooError(f"{' '.join(columns)}: a table has at most {tables.MOST} metrics")
    compared = comparison.compare_entries(kept, columns)
    missing = [name for name in columns if name not in {c.name for c in compared.columns}]
    if missing:
        raise ZooError(f"no run of {' '.join(patterns)} has {', '.join(missing)}")
    compared = comparison.compare_entries(kept, columns, sort=columns[0])
    found = _with_published(tables.grid(compared), compared, figures)
    by_name = {each.name: each for each in kept}
    rows = [[by_name[name] for name in row.runs] for row in compared.rows]
    return tables.drawn(_arranged(_with_processor(found, rows)))


def _with_processor(found: Grid, rows: Sequence[Sequence[Kept]]) -> Grid:
    """The grid with the time of the processor, where a run has it, and the machines below."""
    found = dataclasses.replace(
        found, notes=[*found.notes, *_machines([run for row in rows for run in row])]
    )
    if all(run.processor_seconds is None for row in rows for run in row):
        return found
    cells = [[*cells, _processor(runs)] for cells, runs in zip(found.rows, rows, strict=True)]
    return dataclasses.replace(
        found,
        headings=[*found.headings, "processor seconds"],
        rows=cells,
    )


def _processor(runs: Sequence[Kept]) -> Cell:
    times = [run.processor_seconds for run in runs if run.processor_seconds is not None]
    return Cell(f"{statistics.fmean(times):.0f}" if times else "-", number=True)


def _machines(runs: Sequence[Kept]) -> list[str]:
    """On what the runs were trained, and with what; their files say which on which."""
    places = dict.fromkeys(run.machine or "a machine that the run does not tell" for run in runs)
    versions = {
        f"{table.NAMES.get(name, name.capitalize())} {run.versions[name]}": None
        for run in runs
        for name in (*_OWN, run.about["backend"])
        if name in run.versions
    }
    return [f"trained on {'; '.join(places)}", f"with {', '.join(versions)}"]


def _arranged(found: Grid) -> Grid:
    """The grid with the figures in front, and without what a model can do, which is no result."""
    order = sorted(
        (place for place, heading in enumerate(found.headings) if heading != "can"),
        key=lambda place: found.headings[place] in _BEHIND,
    )
    return dataclasses.replace(
        found,
        headings=[found.headings[place] for place in order],
        rows=[[cells[place] for place in order] for cells in found.rows],
    )


def _with_published(found: Grid, compared: Comparison, figures: Sequence[Figure]) -> Grid:
    """The grid with a column of published figures behind each of ours that has any."""
    headings, rows = list(found.headings), [list(cells) for cells in found.rows]
    sources: dict[str, None] = {}
    for column in compared.columns:
        beside = [_beside(row, column, figures) for row in compared.rows]
        if not any(beside):
            continue
        place = headings.index(column.title) + 1
        headings.insert(place, f"{column.name}, published")
        for cells, row, figure in zip(rows, compared.rows, beside, strict=True):
            cells.insert(place, Cell(figure.written(row.settings) if figure else "-", number=True))
        sources |= dict.fromkeys(f"{column.name}, published: {f.told}" for f in beside if f)
    return dataclasses.replace(found, headings=headings, rows=rows, notes=[*found.notes, *sources])


def _beside(row: Row, column: Column, figures: Sequence[Figure]) -> Figure | None:
    """The published figure of a row, if there is one and it is of the column's metric."""
    if column not in row.values:
        return None
    return published.fitting(figures, row.about["recipe"], row.settings, column.name)
