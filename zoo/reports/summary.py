"""The last lines of a run: its numbers, where things are, what to type next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo.errors import ZooError
from zoo.reports import diagnosis, losses
from zoo.runs import folders, pretrained
from zoo.runs import results as evaluation
from zoo.runs.checkpoints import Store
from zoo.runs.run import Run
from zoo.runtime.console import counted, figure, number


def begun(run: Run) -> list[str]:
    """What a run trains, on what and where it is kept, in lines."""
    manifest = run.manifest
    train = counted(manifest.data.examples["train"], "training example")
    epochs = counted(manifest.epochs, "epoch")
    return [
        f"training {manifest.model.title} on {manifest.data.name}: {train}, {epochs}",
        f"run {run.name}, kept in {run.path}",
    ]


def finished(run: Run) -> str:
    """The results of a finished run, in lines."""
    return "\n".join([*figures(run), *diagnosed(run), *_next(run)])


def diagnosed(run: Run) -> list[str]:
    """What looks ill of a run, in lines; nothing where a file of it is damaged."""
    try:
        found = diagnosis.diagnose(diagnosis.read(run))
    except ZooError:
        return []
    return [f"  {line}" for line in diagnosis.lines(found)]


def figures(run: Run) -> list[str]:
    """The numbers and pictures of a finished run, in lines."""
    results = evaluation.results(run)
    busy = results.processor_seconds
    lines = [
        f"trained on {results.data}, {counted(results.epochs, 'epoch')} in {results.seconds:.0f} s"
        + ("" if busy is None else f" ({busy:.0f} s of processor time)")
    ]
    lines += [f"  {line}" for line in measured(evaluation.kept(run))]
    lines += [f"  {line}" for line in over_training(results.over_training)]
    lines.append(f"  test losses  {'  '.join(losses.shown(results.test))}")
    return [*lines, *(f"  {picture}" for picture in results.pictures)]


def measured(metrics: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Numbers with their units and protocols, in lines; below each what goes with it.

    Args:
        metrics: as ``zoo.metrics.evaluate.measure`` returns them.
    """
    lines = []
    for name, found in metrics.items():
        lines.append(f"{name}  {figure(found)}  ({found['protocol']})")
        details = "  ".join(f"{key} {number(v)}" for key, v in found.get("details", {}).items())
        lines += [f"  {details}"] if details else []
    if any(found.get("shortened") for found in metrics.values()):
        lines.append("~ is of a shortened protocol; of the whole one: zoo evaluate RUN --full")
    return lines


def over_training(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The best and the last value of what was measured while training, in lines.

    Args:
        found: as ``zoo.runs.results.Results`` has it.
    """
    lines = []
    for name, about in found.items():
        points = [
            f"{which} {number(about[which][1])} (epoch {about[which][0]})"
            for which in ("best", "final")
            if which in about
        ]
        lines.append(f"{name} over training  {', '.join(points)}  {about['unit']}".rstrip())
    return lines


def interrupted(run: Run) -> str:
    """What is left of an interrupted run, in lines."""
    name = _typed(run)
    if not Store(run.checkpoints).names():
        return f"interrupted before the first checkpoint. To begin again: zoo resume {name}"
    epochs = run.manifest.epoch
    return "\n".join(
        [
            f"interrupted after {counted(epochs, 'epoch')}; a checkpoint is kept",
            *_next(run),
            f"to go on: zoo resume {name}",
        ]
    )


def killed(run: Run) -> str:
    """What is left of a run that is ended within a step, after a semicolon."""
    return f"; to go on from its last checkpoint: zoo resume {_typed(run)}"


def _typed(run: Run) -> str:
    """What to type for a run here."""
    if pack := pretrained.at(run.path):
        return pack.typed
    found_by_id = run.path.absolute().parents[1] == folders.root().absolute()
    return run.id if found_by_id else str(run.path)


def _next(run: Run) -> list[str]:
    next_ = f"{next_command(run)}, or zoo show {_typed(run)}"
    return [f"run {run.name}, kept in {run.path}", next_]


def next_command(run: Run) -> str:
    """What to type next for a run that has weights, in a line."""
    manifest = run.manifest
    recipe = f" --recipe {run.recipe}" if run.needs_recipe(manifest) else ""
    use = "sample" if "sample" in manifest.abilities else "evaluate"
    return f"next: zoo {use} {_typed(run)}{recipe}"
