"""Published figures, as ``benchmarks/published.json`` has them, each with its source."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parents[1] / "published.json"


@dataclass(frozen=True)
class Figure:
    """A number that a paper reports.

    Attributes:
        recipe: a shipped recipe that has the paper's setting.
        settings: those in which the run has to be the paper's, by path, as ``zoo compare``
            writes them; the others are the recipe's. A run of fewer or more epochs is shown
            with those of the paper.
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
        """The number, and the epochs that it took where those of a run with settings differ."""
        epochs = self.settings.get("epochs")
        longer = f" ({int(epochs):,} epochs)" if epochs and settings.get("epochs") != epochs else ""
        return f"{self.value:.4g}{longer}"


def figures(file: Path = FILE) -> list[Figure]:
    """All that the file has."""
    return [Figure(**each) for each in json.loads(file.read_text(encoding="utf-8"))]


def fitting(
    figures: Sequence[Figure], recipe: str, settings: Mapping[str, str], metric: str
) -> Figure | None:
    """The figure of a row and a metric, or None: that of as many epochs, else that of others."""
    found = [
        figure
        for figure in figures
        if (figure.recipe, figure.metric) == (recipe, metric)
        and all(
            settings.get(path) == figure.settings[path]
            for path in figure.settings.keys() - {"epochs"}
        )
    ]
    return min(
        found, key=lambda f: f.settings.get("epochs") != settings.get("epochs"), default=None
    )
