"""A finished run as one JSON file in this folder: what it measured, and how to make it again."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, fields
from pathlib import Path

from zoo.config import recipe_files
from zoo.errors import ZooError
from zoo.reports.differences import code
from zoo.reports.entry import Entry, read
from zoo.runs import results
from zoo.runs.manifest import Manifest
from zoo.runs.run import Run, json_object
from zoo.runtime import jsons, writer

FOLDER = Path(__file__).parent

ADD = "python -m benchmarks.results --add RUN"


@dataclass(frozen=True)
class Kept(Entry):
    """A finished run. Its recipe is named as ``zoo run`` takes it.

    Attributes:
        command: that makes it again.
        changes: of the recipe, ``key=value``.
        epochs: that were trained.
        processor_seconds: of training and measuring, of all cores; None where the run tells none.
        machine: that trained it, in words; empty where the run tells none.
        versions: of what numbers depend on.
    """

    command: str
    changes: list[str]
    epochs: int
    processor_seconds: float | None
    machine: str
    versions: dict[str, str]

    @property
    def recipe(self) -> str:
        """Its name, such as ``published/gan_ring``."""
        return self.about["recipe"]

    @property
    def file(self) -> str:
        """Its name in the folder, such as ``published-gan_ring-20261121T101500Z-3f2a.json``."""
        return f"{self.recipe.replace('/', '-')}-{self.name.rpartition('/')[2]}.json"


def of_run(run: Run) -> Kept:
    """What the files of a finished run say.

    Raises:
        ZooError: it is not finished, no command makes it again, or a number of it is of a
            shortened protocol.
    """
    described, entry = run.manifest, read(run)
    if entry.about["status"] != "finished":
        raise ZooError(
            f"run {run.name} is {entry.about['status']}, and only a finished one is kept: "
            f"zoo resume {run.path}"
        )
    if described.weights_from:
        raise ZooError(
            f"run {run.name} began with the weights of {described.weights_from}: no command alone "
            "makes it again"
        )
    if described.resumed:
        raise ZooError(
            f"run {run.name} went on with other settings ({'; '.join(described.resumed)}): no "
            "command alone makes it again"
        )
    short = [name for name, found in entry.metrics.items() if found.get("shortened")]
    if short:
        raise ZooError(
            f"run {run.name}: {', '.join(short)} is of a shortened protocol. Measure the whole "
            f"one: zoo evaluate {run.path} --full"
        )
    recipe, told = _shipped(run, described), results.results(run)
    own = {field.name: getattr(entry, field.name) for field in fields(entry)}
    return Kept(
        **{**own, "about": {**entry.about, "recipe": recipe}},
        command=_command(recipe, described),
        changes=described.changes,
        epochs=told.epochs,
        processor_seconds=told.processor_seconds,
        machine=str(described.machine or ""),
        versions=described.versions,
    )


def write(kept: Kept, folder: Path = FOLDER) -> Path:
    """Write the file of a run, in place of an earlier one of the same run."""
    path = folder / kept.file
    text = jsons.text({field.name: getattr(kept, field.name) for field in fields(kept)})
    writer.write(path, f"{text}\n".encode(), folder)
    return path


def all_of(folder: Path = FOLDER) -> list[Kept]:
    """The runs that are kept, in the order of their files' names.

    Raises:
        ZooError: a file is not as ``write`` writes it.
    """
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def _read(path: Path) -> Kept:
    metrics = results.measured_in(path, "a result")
    try:
        return Kept(**{**json_object(path, "a result"), "metrics": metrics})
    except TypeError as error:  # a key is missing, or unknown
        raise ZooError(f"{path} was not written by {ADD}: {error}") from error


def _shipped(run: Run, described: Manifest) -> str:
    """The name of the shipped recipe that a run was trained by; a pack has its recipe's name."""
    if described.pack and described.recipe in recipe_files.shipped():
        return described.recipe
    try:
        source = code(run.source)
    except SyntaxError as error:
        raise ZooError(f"run {run.name} keeps no recipe that Python reads: {error}") from error
    for name, path in recipe_files.shipped().items():
        if path.stem == described.recipe and code(path.read_text(encoding="utf-8")) == source:
            return name
    raise ZooError(
        f"run {run.name}: its recipe.py has other code than each shipped recipe of that name, so "
        f"no command makes it again. Train it anew: zoo run {described.recipe} --full"
    )


def _command(recipe: str, described: Manifest) -> str:
    words = ["zoo", "run", recipe, *described.changes, "--full", "--backend", described.backend]
    words += ["--device", described.device] if described.device in ("cpu", "gpu") else []
    words += ["--on-nan", described.on_nan] if described.on_nan != "stop" else []
    if described.devices > 1:
        words += ["--devices", str(described.devices), "--batch-norm", described.batch_norm]
    return shlex.join(words)
