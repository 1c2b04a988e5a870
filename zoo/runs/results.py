"""What is measured of a trained model: on which data, by which metrics, kept where."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.config import recipe_files
from zoo.errors import ZooError
from zoo.plugin import loading, registry, serialization
from zoo.plugin.dataset import Access, Data
from zoo.plugin.metric import Metric
from zoo.runs import seal
from zoo.runs import signs as found_signs
from zoo.runs.manifest import Part
from zoo.runs.run import RESULTS, Run, json_object
from zoo.runs.signs import Signs
from zoo.runtime.console import excerpt, printable

LARGEST = 1e100  # of a number that is finite: its square is a float too

FILE = "evaluation.json"
"""What ``zoo evaluate`` measured of a run, in its folder."""


# --- of finished runs


def data_of(run: Run, access: Access, recipe: Path | None = None) -> Data:
    """The data of a run, as evaluated; as ``raw_data_of`` otherwise."""
    from zoo.datasets.pipeline import as_evaluated  # imports Keras

    manifest = run.manifest
    data = raw_data_of(run, access, recipe)
    return as_evaluated(data, manifest.dataset.settings.get("binarize"), manifest.seed)


def raw_data_of(run: Run, access: Access, recipe: Path | None = None) -> Data:
    """The data of a run, with pixels as they are.

    Args:
        run: the run.
        access: where data may come from.
        recipe: the recipe's file, for data that are the recipe's own.

    Raises:
        ZooError: they cannot be had, or are other data than the run was trained on.
    """
    from zoo.config import recipe as recipes

    manifest = run.manifest
    described = manifest.dataset
    if described.name and not described.code:
        dataset = serialization.create("datasets", described.name, described.settings)
        # a recipe is code that a person chose, and a run with their seal is their own
        if recipe is None and not seal.holds(manifest):
            access = dataclasses.replace(access, confined=True)
    elif recipe:
        dataset = recipes.load(recipe).dataset
    else:
        raise ZooError(
            f"run {run.name}: its data are given by code of its recipe "
            f"({', '.join(described.code)}): name the recipe, as --recipe {run.recipe}"
        )
    data = loading.load(dataset, access)
    if data.fingerprint != manifest.data.fingerprint:
        raise ZooError(
            f"run {run.name} was trained on {manifest.data.name}, and what is found here is "
            f"{data.name} with another fingerprint: name the right data with --data-dir or ZOO_DATA"
        )
    return data


def metrics_of(run: Run, names: Sequence[str] = (), recipe: Path | None = None) -> list[Metric]:
    """The metrics named, or those of a run's recipe; with the recipe's settings where it has them.

    Args:
        run: the run.
        names: of registered metrics.
        recipe: the recipe's file, for metrics that are the recipe's own.

    Raises:
        ZooError: there is none of a name, or none at all.
    """
    described = run.manifest.metrics
    if recipe is None and not seal.holds(run.manifest):
        _refuse_paths(run, described)
    if names:
        known = {e.name: e.settings for e in described if e.name and not e.code}
        return [serialization.create("metrics", name, known.get(name, {})) for name in names]
    found = [_described(run, entry, recipe) for entry in described]
    if not found:
        listed = ", ".join(record.typed for record in registry.records("metrics"))
        raise ZooError(
            f"run {run.name}: its recipe measures nothing; name what to measure, as --metric "
            f"NAME. There are: {listed}."
        )
    return found


def _refuse_paths(run: Run, described: Sequence[Part]) -> None:
    """Refuse metrics of a manifest that would open what it names, or run it."""
    shipped = recipe_files.shipped()
    for place, entry in enumerate(described):
        if not entry.name or entry.code:
            continue  # its recipe has it, which is code that a person has to name
        metric = serialization.create("metrics", entry.name, entry.settings)
        for path, value in _paths(metric, f"metrics.{place}.settings"):
            if value and value.removeprefix("runs:") not in shipped:
                raise ZooError(
                    f"run {run.name}: {path} is {excerpt(value)}, and a run may only name a recipe "
                    "that comes with the zoo. Name its own recipe, which is code: --recipe FILE"
                )


def _paths(thing: Any, where: str) -> Iterator[tuple[str, str]]:
    """``(place, value)`` of settings that may lead to files, of a plugin and of what is in it."""
    if isinstance(thing, (list, tuple)):
        inner: Mapping[Any, Any] = dict(enumerate(thing))
    elif isinstance(thing, Mapping):
        inner = thing
    elif dataclasses.is_dataclass(thing):
        inner = {f.name: getattr(thing, f.name) for f in dataclasses.fields(thing)}
    else:
        return
    for name, value in inner.items():
        place = f"{where}.{name}"
        if isinstance(value, str) and name in getattr(thing, "paths", ()):
            yield place, value
        yield from _paths(value, place)


def _described(run: Run, entry: Part, recipe: Path | None) -> Metric:
    """A metric as the manifest describes it."""
    from zoo.config import recipe as recipes

    if entry.name and not entry.code:
        return serialization.create("metrics", entry.name, entry.settings)
    for metric in recipes.load(recipe).metrics if recipe else ():
        if type(metric).__qualname__ == entry.cls.rpartition(":")[2]:
            return metric
    raise ZooError(
        f"run {run.name}: its metric {entry.title} is the recipe's own: name the recipe, as "
        f"--recipe {run.recipe}"
    )


# --- what was measured


@dataclass(frozen=True)
class Results:
    """What ``results.json`` says of a finished run.

    Attributes:
        data: what it was trained on, in words.
        epochs: that were trained.
        seconds: of training and measuring.
        processor_seconds: likewise, user and system, of all cores; None where nothing says it.
        test: ``{term: value}`` on the test set.
        pictures: files that show the end of the training, below the run's folder.
        over_training: ``{metric: {"unit": ..., "best": (epoch, value), "final": likewise}}`` of
            what ``callbacks.Measure`` found; without ``"best"`` where there is none.
    """

    data: str
    epochs: int
    seconds: float
    processor_seconds: float | None
    test: dict[str, float]
    pictures: tuple[str, ...]
    over_training: dict[str, dict[str, Any]]


def results(run: Run) -> Results:
    """What a finished run's ``results.json`` says; ``ZooError`` names a field that is wrong."""
    value = run.read_json(RESULTS)
    where = f"run {run.name}: {RESULTS}"
    test = _taken(value, "test", dict, where)
    return Results(
        printable(_taken(value, "data", str, where)),
        _taken(value, "epochs", int, where),
        _taken(value, "seconds", (int, float), where),
        _taken(value, "processor_seconds", (int, float, type(None)), where),
        {printable(key): _number(test, key, f"{where}: test") for key in test},
        tuple(printable(str(name)) for name in _taken(value, "pictures", list, where)),
        _over_training(value, where),
    )


def signs(run: Run) -> Signs | None:
    """What was seen of the model when its training ended; None where nobody looked.

    Raises:
        ZooError: ``results.json`` is missing or damaged.
    """
    value = run.read_json(RESULTS)
    where = f"run {run.name}: {RESULTS}: {found_signs.KEY}"
    return found_signs.parse(value[found_signs.KEY], where) if found_signs.KEY in value else None


def _over_training(value: Mapping[str, Any], where: str) -> dict[str, dict[str, Any]]:
    if "over_training" not in value:
        return {}
    every = _taken(value, "over_training", dict, where)
    found: dict[str, dict[str, Any]] = {}
    for name in every:
        place = f"{where}: over_training.{printable(name)}"
        about = _taken(every, name, dict, f"{where}: over_training")
        found[printable(name)] = {"unit": printable(_taken(about, "unit", str, place))}
        for which in ("best", "final") if "best" in about else ("final",):
            point = _taken(about, which, dict, place)
            epoch = _taken(point, "epoch", int, f"{place}.{which}")
            found[printable(name)][which] = epoch, _number(point, "value", f"{place}.{which}")
    return found


def kept(run: Run) -> dict[str, dict[str, Any]]:
    """All that was measured of a run, when it was trained and since.

    Of each metric it is the last value by the whole protocol; the last shortened one where there
    is no other. Only what was measured of the present weights counts: a training that goes on
    leaves the figures of earlier ones behind.

    Returns:
        ``{metric: {"value": ..., "unit": ..., "protocol": ..., "details": {...}, ...}}``

    Raises:
        ZooError: a file of it is damaged; the message names the field.
    """
    manifest = run.manifest
    found: dict[str, dict[str, Any]] = {}
    for name in (RESULTS, FILE) if run.has_ended(manifest) else (FILE,):
        if (run.path / name).exists():
            for metric, value in measured_in(run.path / name, f"run {run.name}").items():
                before = found.get(metric)
                if value.get("epoch", manifest.epoch) != manifest.epoch:
                    continue
                if before is None or before.get("shortened") or not value.get("shortened"):
                    found[metric] = value
    return found


def keep(path: Path, measured: Mapping[str, Mapping[str, Any]], **circumstances: Any) -> dict:
    """What was measured before as a file says, with what is measured now added to it.

    Args:
        path: the file, if there is one.
        measured: as ``zoo.metrics.evaluate.measure`` returns it.
        circumstances: to be kept with each, such as the backend.
    """
    before = measured_in(path, "what was measured before") if path.exists() else {}
    added = {name: {**found, **circumstances} for name, found in measured.items()}
    return {"metrics": {**before, **added}}


def measured_in(path: Path, what: str) -> dict[str, dict[str, Any]]:
    """The ``"metrics"`` of a file, each field checked; ``what`` begins messages."""
    return measured_of(json_object(path, what), f"{what}: {path.name}")


def measured_of(value: Mapping[str, Any], where: str) -> dict[str, dict[str, Any]]:
    """The ``"metrics"`` of a JSON object, each field checked; ``where`` begins messages."""
    metrics = _taken(value, "metrics", dict, where)
    return {printable(name): _metric(metrics, name, f"{where}: metrics") for name in metrics}


def _metric(metrics: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    found = _taken(metrics, name, dict, where)
    where = f"{where}.{printable(name)}"
    details = _taken(found, "details", dict, where) if "details" in found else {}
    return {
        **{
            key: printable(value) if isinstance(value, str) else value
            for key, value in found.items()
            if isinstance(value, (str, int, float))
        },
        "value": _number(found, "value", where),
        "unit": printable(_taken(found, "unit", str, where)),
        "protocol": printable(_taken(found, "protocol", str, where)),
        "details": {printable(key): _number(details, key, where) for key in details},
    }


def _number(values: Mapping[str, Any], key: str, where: str) -> float:
    value = _taken(values, key, (int, float, type(None)), where)
    if value is None:
        return math.nan
    if LARGEST < abs(value) < math.inf:
        raise ZooError(f"{where}: {printable(key)} is {excerpt(value)}, too large to be measured")
    return value


def _taken(values: Mapping[str, Any], key: str, kind: Any, where: str) -> Any:
    value = values.get(key)
    if not isinstance(value, kind) or (isinstance(value, bool)):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        words = " or ".join(_WORDS[each] for each in kinds if each is not type(None))
        raise ZooError(f"{where}: {printable(key)} is {excerpt(value)}; {words} is accepted")
    return value


_WORDS = {dict: "an object", list: "a list", str: "text", int: "a whole number", float: "a number"}
