"""The last lines of a run: its numbers, where things are, what to type next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo.reports import losses
from zoo.runs import folders, pretrained
from zoo.runs import results as evaluation
from zoo.runs.checkpoints import Store
from zoo.runs.own_networks import need_recipe
from zoo.runs.run import Run
from zoo.runtime.console import counted, figure


def finished(run: Run) -> str:
    """What came of a finished run, in lines."""
    results = evaluation.results(run)
    lines = [
        f"trained on {results.data}, {counted(results.epochs, 'epoch')} in {results.seconds:.0f} s"
    ]
    lines += [f"  {line}" for line in measured(evaluation.kept(run))]
    terms = "  ".join(losses.shown(results.test))
    lines.append(f"  test losses  {terms}")
    lines += [f"  {run.path / picture}" for picture in results.pictures]
    return "\n".join([*lines, *_next(run)])


def measured(metrics: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Numbers with their units and protocols, in lines; below each what goes with it.

    Args:
        metrics: as ``zoo.metrics.evaluate.measure`` returns them.
    """
    lines = []
    for name, found in metrics.items():
        lines.append(f"{name}  {figure(found)}  ({found['protocol']})")
        details = "  ".join(f"{key} {v:.4g}" for key, v in found.get("details", {}).items())
        lines += [f"  {details}"] if details else []
    if any(found.get("shortened") for found in metrics.values()):
        lines.append("~ is of a shortened protocol; of the whole one: zoo evaluate RUN --full")
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


def _typed(run: Run) -> str:
    """What to type for a run here."""
    if pack := pretrained.at(run.path):
        return pack.typed
    found_by_id = run.path.absolute().parents[1] == folders.root().absolute()
    return run.id if found_by_id else str(run.path)


def _next(run: Run) -> list[str]:
    manifest = run.manifest
    name = _typed(run)
    recipe = f" --recipe {run.recipe}" if need_recipe(run, manifest) else ""
    use = "sample" if "sample" in manifest.abilities else "evaluate"
    return [
        f"run {run.name}  ({run.path})",
        f"next: zoo {use} {name}{recipe}, or zoo show {name}",
    ]
