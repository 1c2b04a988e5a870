"""Runs beside each other: one row per experiment, its seeds together, one protocol per column."""

from __future__ import annotations

import math
import re
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zoo.errors import ZooError, unknown
from zoo.plugin import registry
from zoo.reports import differences
from zoo.reports.entry import Entry, read
from zoo.runs.run import Run

ALIKE = ("recipe", "model", "data", "status", "backend", "device")
"""What is said of a row besides its settings; said once where all rows are alike."""

LEAST_SEEDS = 3
"""Seeds of each row that a best one is marked with."""


@dataclass(frozen=True)
class Column:
    """A metric, or a detail of one, measured by one protocol.

    Attributes:
        metric: its name.
        detail: of it, or empty for its value.
        protocol: how it was measured, without what is a run's own: its seed, its shortening.
        unit: such as ``"nats"``; empty where runs say none or several, as ``"of 8 dimensions"``
            may be.
        number: from 1, among the protocols of one metric; 0 where there is one.
        better: ``"higher"`` or ``"lower"``; empty where neither is, or where units differ.
    """

    metric: str
    detail: str
    protocol: str
    unit: str
    number: int = 0
    better: str = ""

    @property
    def name(self) -> str:
        """What ``--metric`` and ``--sort`` call it."""
        return f"{self.metric}.{self.detail}" if self.detail else self.metric

    @property
    def title(self) -> str:
        """Its heading, ``"elbo [2], nats"``."""
        numbered = f"{self.name} [{self.number}]" if self.number else self.name
        return f"{numbered}, {self.unit}" if self.unit else numbered


@dataclass(frozen=True)
class Value:
    """What was measured of a row.

    Attributes:
        mean: over its seeds; not finite where one of them is not.
        deviation: the standard deviation over them (n - 1); None for one seed, NaN where the mean
            is not finite.
        n: seeds that it was measured of.
        shortened: what was left of the protocol, in words, empty ones for seeds that were measured
            by all of it; nothing where all were.
        best: whether it is better than each other one, see ``marked``.
    """

    mean: float
    deviation: float | None
    n: int
    shortened: tuple[str, ...]
    best: bool = False


@dataclass(frozen=True)
class Row:
    """Runs that differ in their seed alone.

    Attributes:
        about: ``{one of ALIKE: what the row has there}``.
        settings: all of them, by path.
        seeds: of its runs.
        runs: their names.
        values: what was measured.
        parameters: weights of all networks; None where nothing holds them.
        seconds: of training and measuring, mean over the runs; None where none finished.
        abilities: what the model can do.
    """

    about: dict[str, str]
    settings: dict[str, str]
    seeds: list[int]
    runs: list[str]
    values: dict[Column, Value]
    parameters: int | None
    seconds: float | None
    abilities: list[str]


@dataclass(frozen=True)
class Comparison:
    """A table of runs.

    Attributes:
        rows: as they are shown.
        settings: paths of the settings that differ.
        columns: what was measured.
        older: names of runs that were left out, each for a newer one of the same settings and seed.
    """

    rows: list[Row]
    settings: list[str]
    columns: list[Column]
    older: list[str] = field(default_factory=list)

    @property
    def differing(self) -> list[str]:
        """Those of ``ALIKE`` that differ from row to row."""
        return [key for key in ALIKE if len({row.about[key] for row in self.rows}) > 1]


def compare(
    runs: Sequence[Run],
    metrics: Sequence[str] = (),
    sort: str | None = None,
) -> Comparison:
    """Compare runs.

    Args:
        runs: the runs, with what they keep.
        metrics: to show, ``NAME`` or ``NAME.DETAIL``; by default the value of each that any run
            has, those that most have first.
        sort: name of a metric, a setting, or another column; by default rows come in the order
            of their settings.

    Raises:
        ZooError: a run cannot be read, or there is no column to sort by.
    """
    return compare_entries([read(run) for run in runs], metrics, sort)


def compare_entries(
    every: Sequence[Entry], metrics: Sequence[str] = (), sort: str | None = None
) -> Comparison:
    """As ``compare``, of runs that are read already."""
    entries, older = _newest(every)
    groups: dict[tuple, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.key, []).append(entry)
    columns = _columns(entries, metrics)
    rows = [_row(group, columns) for group in groups.values()]
    kinds: dict[tuple, list[Mapping[str, str]]] = {}
    for row in rows:
        kinds.setdefault((row.about["recipe"], row.about["model"]), []).append(row.settings)
    told = [path for path in differences.differing(kinds.values()) if path not in ALIKE]
    without = [path for path in told if path != differences.DATA]
    if len({_seen(row, without) for row in rows}) == len(rows) and not _other_data(rows):
        told = without
    places = {kind: place for place, kind in enumerate(kinds)}
    rows.sort(
        key=lambda row: (
            places[row.about["recipe"], row.about["model"]],
            *(_order(row.settings.get(path, "")) for path in told),
            *(registry.natural(row.about[key]) for key in ALIKE),
        )
    )
    for column in columns:
        rows = _marked(rows, column)
    if sort is not None:
        rows = _sorted(rows, sort, told, columns)
    return Comparison(rows, told, columns, older)


def is_ahead(first: Value, second: Value, sign: int) -> bool:
    """Whether one is better by more than twice the pooled standard deviation, of enough seeds.

    Args:
        first: what may be better.
        second: what it is compared with.
        sign: 1 where higher is better, -1 where lower is.
    """
    if min(first.n, second.n) < LEAST_SEEDS:
        return False
    if len(first.shortened) > 1 or first.shortened != second.shortened:  # not measured alike
        return False
    squares = sum((value.n - 1) * (value.deviation or 0.0) ** 2 for value in (first, second))
    return sign * (first.mean - second.mean) > 2 * math.sqrt(squares / (first.n + second.n - 2))


def _marked(rows: list[Row], column: Column) -> list[Row]:
    """The rows, the one that is ahead of all others in a column marked as best."""
    sign = {"higher": 1, "lower": -1}.get(column.better)
    values = {place: row.values[column] for place, row in enumerate(rows) if column in row.values}
    if sign is None or len(values) < 2 or not all(math.isfinite(v.mean) for v in values.values()):
        return rows
    if len({rows[place].settings.get(differences.DATA) for place in values}) > 1:
        return rows  # figures of other examples say nothing of each other
    place = max(values, key=lambda place: sign * values[place].mean)
    best = values.pop(place)
    if not all(is_ahead(best, value, sign) for value in values.values()):
        return rows
    marked = Value(best.mean, best.deviation, best.n, best.shortened, best=True)
    rows[place].values[column] = marked
    return rows


def _newest(entries: Sequence[Entry]) -> tuple[list[Entry], list[str]]:
    """Of each experiment and seed the newest run, and the names of the others."""
    newest: dict[tuple, Entry] = {}
    for entry in entries:
        key = (entry.key, entry.seed)
        if key not in newest or newest[key].created < entry.created:
            newest[key] = entry
    kept = list(newest.values())
    told = {(entry.name, entry.created) for entry in kept}
    return kept, [entry.name for entry in entries if (entry.name, entry.created) not in told]


def _row(group: list[Entry], columns: list[Column]) -> Row:
    group = sorted(group, key=lambda entry: entry.seed)
    times = [entry.seconds for entry in group if entry.seconds is not None]
    first = group[0]
    return Row(
        about=first.about,
        settings=first.settings,
        seeds=[entry.seed for entry in group],
        runs=[entry.name for entry in group],
        values={c: value for c in columns if (value := _value(group, c)) is not None},
        parameters=first.parameters,
        seconds=statistics.fmean(times) if times else None,
        abilities=first.abilities,
    )


def _value(group: list[Entry], column: Column) -> Value | None:
    measured = [e.metrics[column.metric] for e in group if column.metric in e.metrics]
    found = [m for m in measured if _failed(m) or protocol(m) == column.protocol]
    if column.detail:
        numbers = [
            f["details"].get(column.detail, math.nan)
            for f in found
            if _failed(f) or column.detail in f["details"]
        ]
    else:
        numbers = [f["value"] for f in found]
    if not numbers:
        return None
    words = {str(f.get("shortened") or "") for f in found}
    shortened = tuple(sorted(words)) if any(words) else ()
    if all(map(math.isfinite, numbers)):
        spread = statistics.stdev(numbers) if len(numbers) > 1 else None
        return Value(statistics.fmean(numbers), spread, len(numbers), shortened)
    spread = math.nan if len(numbers) > 1 else None
    return Value(sum(numbers) / len(numbers), spread, len(numbers), shortened)


def _columns(entries: Sequence[Entry], metrics: Sequence[str]) -> list[Column]:
    names = list(dict.fromkeys(metrics))
    if not names:
        counts = Counter(name for entry in entries for name in entry.metrics)
        names = sorted(counts, key=lambda name: -counts[name])
    columns = []
    for name in names:
        metric, _, detail = name.partition(".")
        found = [e.metrics[metric] for e in entries if metric in e.metrics]
        found = [each for each in found if not _failed(each)] or found
        if detail:
            found = [each for each in found if detail in each["details"]]
        by_protocol: dict[str, list[dict[str, Any]]] = {}
        for each in found:
            by_protocol.setdefault(protocol(each), []).append(each)
        several = len(by_protocol) > 1
        for place, (text, alike) in enumerate(by_protocol.items(), 1):
            number = place if several else 0
            unit, better = ("", "") if detail else (_one(alike, "unit"), _one(alike, "better"))
            units = {each["unit"] for each in alike}
            columns.append(
                Column(metric, detail, text, unit, number, better if len(units) == 1 else "")
            )
    return columns


def _failed(measured: Mapping[str, Any]) -> bool:
    """Whether there is no number, for what the model gave was not finite: so in every column."""
    return "not_finite" in measured


def _one(alike: Sequence[Mapping[str, Any]], key: str) -> str:
    """What those that say something of a key agree on, else nothing."""
    said = {str(each[key]) for each in alike if each.get(key)}
    return said.pop() if len(said) == 1 else ""


def protocol(measured: Mapping[str, Any]) -> str:
    """How a number was measured, without what is a run's own: its seed, what was left out."""
    text = re.sub(r"\bfrom seed -?\d+$", "from the run's seed", measured["protocol"])
    shortened = measured.get("shortened")
    if not shortened:
        return text
    text = text.replace(f", shortened to {shortened}", "", 1)
    data, _, rest = text.partition(": ")
    for few, whole in re.findall(r"([\d,]+) of ([\d,]+) ", f"{shortened} "):
        rest = re.sub(rf"(?<![\d,]){few}(?![\d,]*\d)", whole, rest, count=1)
    return f"{data}: {rest}"


def _sorted(
    rows: list[Row], name: str, settings: Sequence[str], columns: Sequence[Column]
) -> list[Row]:
    """Rows by a column: the best of a metric first, the smallest of any other one; none last."""
    short = differences.short(settings)
    by_name = {column.name: column for column in reversed(columns)}
    paths = {**{ending: path for path, ending in short.items()}, **{path: path for path in short}}
    if name in by_name:
        column = by_name[name]
        sign = -1 if column.better == "higher" else 1

        def mean(row: Row) -> float | None:
            value = row.values.get(column)
            return sign * value.mean if value else None

        return sorted(rows, key=lambda row: _or_last(mean(row)))
    if name in ("seconds", "parameters"):
        return sorted(rows, key=lambda row: _or_last(getattr(row, name)))
    if name in ALIKE:
        return sorted(rows, key=lambda row: registry.natural(row.about[name]))
    if name in paths:
        return sorted(rows, key=lambda row: _order(row.settings.get(paths[name], "")))
    accepted = [*by_name, *settings, "seconds", "parameters", *ALIKE]
    raise unknown("column", name, accepted, where="--sort")


def _other_data(rows: Sequence[Row]) -> bool:
    """Whether rows with the same data by name and by settings have other examples."""
    examples: dict[tuple, set[str]] = {}
    for row in rows:
        of_data = (path for path in row.settings if path.startswith("dataset"))
        alike = (row.about["data"], *((path, row.settings[path]) for path in of_data))
        examples.setdefault(alike, set()).add(row.settings.get(differences.DATA, ""))
    return any(len(each) > 1 for each in examples.values())


def _seen(row: Row, settings: Sequence[str]) -> tuple:
    """What a reader can tell a row by."""
    return (*row.about.values(), *(row.settings.get(path) for path in settings))


def _order(text: str) -> tuple:
    """A sorting key of a setting: numbers by size, then words as people sort them."""
    try:
        return False, float(text), []
    except ValueError:
        return True, 0.0, registry.natural(text)


def _or_last(number: float | None) -> tuple[bool, float]:
    """A sorting key: by size, what is missing or not a number last."""
    return (True, 0.0) if number is None or math.isnan(number) else (False, number)


def refuse_unmeasured(comparison: Comparison, metrics: Sequence[str]) -> None:
    """Refuse a metric that no run has, as where a detail is spelt wrong.

    Raises:
        ZooError: with what there is.
    """
    shown = {column.name for column in comparison.columns}
    for name in metrics:
        if "." in name and name not in shown:
            raise ZooError(
                f"--metric {name}: no run has it; a detail is NAME.DETAIL, as results.json names it"
            )
