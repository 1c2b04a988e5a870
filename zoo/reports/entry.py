"""One run, as far as a table of runs tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zoo.reports import differences
from zoo.runs import parameters, results
from zoo.runs.run import Run


@dataclass(frozen=True)
class Entry:
    """One run.

    Attributes:
        name: of the run.
        created: when, as ISO 8601 has it.
        seed: of everything random.
        about: ``{one of comparison.ALIKE: what the run has there}``.
        settings: all of them but the seed, by path, in words.
        metrics: as ``zoo.runs.results.kept`` returns them.
        parameters: weights of all networks; None where nothing holds them.
        seconds: of training and measuring; None for a run that did not finish.
        abilities: what the model can do.
    """

    name: str
    created: str
    seed: int
    about: dict[str, str]
    settings: dict[str, str]
    metrics: dict[str, dict[str, Any]]
    parameters: int | None
    seconds: float | None
    abilities: list[str]

    @property
    def key(self) -> tuple:
        """Equal for runs that differ in their seed alone."""
        return tuple(self.about.items()), tuple(sorted(self.settings.items()))


def read(run: Run) -> Entry:
    """What the files of a run say; ``ZooError`` where they cannot be read."""
    manifest = run.manifest
    return Entry(
        name=run.name,
        created=manifest.created,
        seed=manifest.seed,
        about={
            "recipe": f"{manifest.recipe} (pretrained)" if manifest.pack else manifest.recipe,
            "model": manifest.model.title,
            "data": manifest.data.name,
            "status": run.status_of(manifest),
            "backend": manifest.backend,
            "device": manifest.device,
        },
        settings=differences.settings(run, manifest),
        metrics=results.kept(run),
        parameters=parameters.count(run),
        seconds=manifest.finished_in_seconds,
        abilities=manifest.abilities,
    )
