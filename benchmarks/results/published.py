"""Published figures, as ``benchmarks/published.json`` has them, each with its source."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.runtime.console import number

FILE = Path(__file__).parents[1] / "published.json"

BUDGET = {"epochs": "epochs", "dataset.n": "examples"}
"""How long was trained, and the unit. Where a run differs from a paper, the paper's is told."""


@dataclass(frozen=True)
class Figure:
    """A number that a paper reports.

    Attributes:
        recipe: a shipped recipe that has the paper's setting.
        settings: those in which the run has to be the paper's, by path, as ``zoo compare``
            writes them, and the paper's budget; the others are the recipe's.
        metric: ``NAME`` or ``NAME.DETAIL``, in the unit that the zoo measures in.
        value: the number.
        source: the paper and the table.
        protocol: how it was measured there, where that is not as here.
    """

    recipe: str
    settings: Mapping[str, str]
    metric: str
    value: float
    source: str
    protocol: str

    @property
    def told(self) -> str:
        """The source, and what is to be known of the protocol."""
        return f"{self.source} ({self.protocol})" if self.protocol else self.source

    def written(self, settings: Mapping[str, str]) -> str:
        """The number, and as much of its budget as a run with settings differs in."""
        told = (
            f"{int(self.settings[path]):,} {BUDGET[path]}" for path in _differing(self, settings)
        )
        budget = " of ".join(told)
        return f"{number(self.value)} ({budget})" if budget else number(self.value)


def figures(file: Path = FILE) -> list[Figure]:
    """All that the file has."""
    return [Figure(**each) for each in json.loads(file.read_text(encoding="utf-8"))]


def fitting(
    figures: Sequence[Figure], recipe: str, settings: Mapping[str, str], metric: str
) -> Figure | None:
    """The figure of a row and a metric, or None: that of its budget, else that of another."""
    found = [
        figure
        for figure in figures
        if (figure.recipe, figure.metric) == (recipe, metric)
        and all(
            settings.get(path) == figure.settings[path]
            for path in figure.settings.keys() - set(BUDGET)
        )
    ]
    return min(found, key=lambda figure: len(_differing(figure, settings)), default=None)


def _differing(figure: Figure, settings: Mapping[str, str]) -> list[str]:
    """The parts of the budget that a figure tells, and that a run does not have."""
    return [p for p in BUDGET if p in figure.settings and settings.get(p) != figure.settings[p]]
