"""What is measured of a trained model: on which data, by which metrics, kept where."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import registry
from zoo.datasets.base import Access, Data
from zoo.errors import ZooError
from zoo.metrics.base import Metric
from zoo.runs import Run

if TYPE_CHECKING:
    from zoo.engine.base import GenerativeModel

FILE = "evaluation.json"
"""What ``zoo evaluate`` measured of a run, in its folder."""


def as_evaluated(data: Data, binarize: str | None, seed: int) -> Data:
    """Data whose validation and test pictures are binarized once, where the dataset binarizes.

    Args:
        data: as the dataset loads it.
        binarize: the dataset's setting of this name.
        seed: of the run.
    """
    from zoo.datasets.pipeline import binarize_once

    if not binarize:
        return data
    validation, test = (
        dataclasses.replace(split, x=binarize_once(split.x, seed, name))
        for name, split in (("validation", data.validation), ("test", data.test))
    )
    return dataclasses.replace(data, validation=validation, test=test)


def check(
    metrics: Iterable[Metric], model: GenerativeModel, data: Data, sampler: bool = False
) -> None:
    """Refuse metrics that cannot be measured.

    Args:
        metrics: the metrics.
        model: what is to be measured, trained or not.
        data: what it is to be measured on.
        sampler: whether the model will be given a sampler after training.

    Raises:
        ZooError: the model or the data lack what a metric needs, or two have one name.
    """
    able = model.able(sampler)
    seen: set[str] = set()
    for metric in metrics:
        if metric.name in seen:
            raise ZooError(f"two metrics are called {metric.name!r}: results hold one of a name")
        seen.add(metric.name)
        for ability in metric.needs:
            if ability not in able:
                raise ZooError(
                    f"metric {metric.name!r} needs a model that can {ability}, which "
                    f"{model.where} cannot; it can: {', '.join(able) or 'nothing'}"
                )
        metric.check(data)


def measure(
    metrics: Iterable[Metric], model: GenerativeModel, data: Data, seed: int, binarized: bool
) -> dict[str, dict[str, Any]]:
    """Measure a trained model.

    Args:
        metrics: prepared, as ``Metric.prepare`` returns them.
        model: the model.
        data: as evaluated.
        seed: of the run.
        binarized: whether pixels of the data were drawn from that seed.

    Returns:
        ``{metric: {"value": ..., "unit": ..., "protocol": ..., "details": {...}}}``
    """
    drawn = f"; pixels binarized once from seed {seed}" if binarized else ""
    measured = {}
    for metric in metrics:
        found = dataclasses.asdict(metric.measure(model, data, seed))
        measured[metric.name] = {**found, "protocol": f"{data.name}: {found['protocol']}{drawn}"}
    return measured


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
    from zoo import recipe as recipes

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
    from zoo import recipe as recipes

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
