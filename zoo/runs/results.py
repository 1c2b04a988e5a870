"""What is measured of a trained model: on which data, by which metrics, kept where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.datasets.pipeline import as_evaluated
from zoo.errors import ZooError
from zoo.plugin import registry
from zoo.plugin.dataset import Access, Data
from zoo.plugin.metric import Metric
from zoo.runs.run import Run

if TYPE_CHECKING:
    pass

FILE = "evaluation.json"
"""What ``zoo evaluate`` measured of a run, in its folder."""


# --- of finished runs


def data_of(run: Run, access: Access, recipe: Path | None = None) -> Data:
    """The data of a run, as evaluated.

    Args:
        run: the run.
        access: where data may come from.
        recipe: the recipe's file, for data that are the recipe's own.

    Raises:
        ZooError: they cannot be had, or are other data than the run was trained on.
    """
    from zoo.config import recipe as recipes

    manifest = run.manifest
    described, trained_on = manifest["dataset"], manifest["data"]
    if described["name"]:
        dataset = registry.create("datasets", described["name"], **described["settings"])
    elif recipe:
        dataset = recipes.load(recipe).dataset
    else:
        raise ZooError(
            f"run {run.name}: its data, {described['class']}, are the recipe's own: "
            f"name the recipe, as --recipe {run.recipe}"
        )
    data = dataset.load(access)
    if data.fingerprint != trained_on["fingerprint"]:
        raise ZooError(
            f"run {run.name} was trained on {trained_on['name']}, and what is found here is "
            f"{data.name} with another fingerprint: name the right data with --data-dir or ZOO_DATA"
        )
    return as_evaluated(data, described["settings"].get("binarize"), manifest["seed"])


def metrics_of(run: Run, names: Sequence[str] = (), recipe: Path | None = None) -> list[Metric]:
    """The metrics named, or those of a run's recipe; with the recipe's settings where it has them.

    Args:
        run: the run.
        names: of registered metrics.
        recipe: the recipe's file, for metrics that are the recipe's own.

    Raises:
        ZooError: there is none of a name, or none at all.
    """
    described = {entry["name"]: entry for entry in run.manifest["metrics"] if entry["name"]}
    if names:
        settings = {name: described.get(name, {}).get("settings", {}) for name in names}
        return [registry.create("metrics", name, **own) for name, own in settings.items()]
    found = [_described(run, entry, recipe) for entry in run.manifest["metrics"]]
    if not found:
        known = ", ".join(record.typed for record in registry.records("metrics"))
        raise ZooError(
            f"run {run.name}: its recipe measures nothing; name what to measure, as --metric "
            f"NAME. There are: {known}."
        )
    return found


def _described(run: Run, entry: Mapping[str, Any], recipe: Path | None) -> Metric:
    """A metric as the manifest describes it."""
    from zoo.config import recipe as recipes

    if entry["name"]:
        return registry.create("metrics", entry["name"], **entry["settings"])
    _, _, cls = entry["class"].partition(":")
    for metric in recipes.load(recipe).metrics if recipe else ():
        if type(metric).__qualname__ == cls:
            return metric
    raise ZooError(
        f"run {run.name}: its metric {cls} is the recipe's own: name the recipe, as "
        f"--recipe {run.recipe}"
    )


def kept(run: Run) -> dict[str, dict[str, Any]]:
    """All that was measured of a run, when it was trained and since: the last value of each."""
    found: dict[str, dict[str, Any]] = {}
    for name in ("results.json", FILE):
        if (run.path / name).exists():
            found |= run.read_json(name)["metrics"]
    return found


def keep(run: Run, measured: Mapping[str, Mapping[str, Any]], **circumstances: Any) -> None:
    """Add to what is kept of a run, besides its results.

    Args:
        run: the run.
        measured: as ``measure`` returns it.
        circumstances: to be kept with each, such as the backend.
    """
    before = run.read_json(FILE)["metrics"] if (run.path / FILE).exists() else {}
    added = {name: {**found, **circumstances} for name, found in measured.items()}
    run.write_json(FILE, {"metrics": {**before, **added}})
