"""Continue a run from its last checkpoint, as it was or with a change that keeps its meaning."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.config import overrides
from zoo.config import recipe as recipes
from zoo.config.recipe import Recipe
from zoo.datasets import Access
from zoo.engine import distributed
from zoo.engine.state import matching
from zoo.errors import ZooError
from zoo.runs import describe, folders, locks, seal
from zoo.runs.checkpoints import Snapshot, Store
from zoo.runs.manifest import Manifest
from zoo.runs.run import Run
from zoo.runs.trained import TrainedRun
from zoo.runtime.console import printable
from zoo.runtime.keras import pinned
from zoo.training import rewind
from zoo.training.experiment import prepare, prepared_metrics
from zoo.training.train import Training, carry_out

FIXED = ("model", "data", "dataset", "networks", "augment", "seed", "precision", "ema")
"""What of a manifest a run cannot be resumed with a change of."""

TOLD = ("optimizers", "weights", "backend", "devices", "on_nan")
"""What it may be resumed with a change of, so that the weights are others: the manifest tells."""


@pinned()
def resume(
    run: Run | Path | str,
    *,
    recipe: Recipe | None = None,
    changes: Sequence[str] = (),
    on_nan: str | None = None,
    full: bool = False,
    runs_folder: str | None = None,
    access: Access | None = None,
    begun: Callable[[Run], None] = lambda run: None,
    say: Callable[[str], None] = lambda line: None,
) -> TrainedRun:
    """Continue a run from its last good checkpoint, or from the beginning if it has none.

    On the same backend and device, the final weights equal those of an uninterrupted run; on a
    CPU, bit for bit.

    Args:
        run: a folder, a run's name or id, ``"latest"``, or a recipe's name for its newest run.
        recipe: what the run was started with, for one that keeps no recipe's file; else that
            file is run as Python.
        changes: such as ``"epochs=40"``, besides those that the run was started with.
        on_nan: as in ``zoo.train``; by default as before.
        full, runs_folder, access, begun, say: as in ``zoo.train``.

    Returns:
        The finished run.

    Raises:
        ZooError: there is nothing to continue, a change would give the run another meaning,
            or another process trains it.
        RunFailed, KeyboardInterrupt: as ``zoo.train``.
    """
    if not isinstance(run, Run):
        run = folders.find(str(run), folders.root(runs_folder), to_resume=True)
    if run.manifest.pack:
        raise ZooError(
            f"{run.name} is a pack, which holds no state of a training. A new run starts from its "
            f"weights: zoo run RECIPE --from {run.id}"
        )
    with locks.held(run.path):
        described = run.manifest
        all_changes = [*described.changes, *changes]
        recipe = changed(run, recipe, all_changes)
        on_nan = on_nan or described.on_nan
        experiment = prepare(recipe, access, on_nan)
        kept = {"batch_norm": distributed.batch_norm or described.batch_norm, "on_nan": on_nan}
        now = {**describe.describe(experiment), "changes": all_changes, **kept}
        _refuse(run, described, now)
        start = Store(run.checkpoints).newest(say)
        further = recipe.epochs > described.epochs
        _check_position(run, recipe, start, described, further)
        if start:
            matching(experiment.model, start.arrays, f"run {run.name} cannot be resumed")
        metrics = prepared_metrics(experiment, access, runs_folder)
        epoch = start.state["epoch"] if start else 0
        within = start.state["step"] if start else 0
        rewind.rewind(run, epoch, epoch * len(experiment.batches) + within)
        # what training ended with before is not what it will end with
        ended: dict[str, Any] = {"sha256": {}, "finished_in_seconds": None}
        if start and (differently := _changes(described, now, TOLD)):
            words = printable(f"after epoch {epoch}: {'; '.join(differently)}")
            now["resumed"] = [*described.resumed, words]
        run.update(**{**now, **ended, "seal": seal.made(now), "status": "running", "epoch": epoch})
        begun(run)
        say(
            f"continues after {start.place}"
            if start
            else "no checkpoint: starts from the beginning"
        )
        return carry_out(Training(experiment, metrics, run, say, full, start, further))


def changed(run: Run, recipe: Recipe | None, changes: Sequence[str]) -> Recipe:
    """The recipe of a run, or the one given, with all its changes."""
    return overrides.override(recipe or _recipe_of(run), changes)


def _recipe_of(run: Run) -> Recipe:
    if not run.recipe.is_file():
        raise ZooError(
            f"run {run.name} keeps no recipe's file: zoo.resume(run, recipe=...) takes the recipe"
        )
    return recipes.load(run.recipe)


def _refuse(run: Run, before: Manifest, now: Mapping[str, Any]) -> None:
    """Refuse what would make another experiment of the run."""
    old, new = describe.comparable(before.json()), describe.comparable(now)
    different = _changes(before, now, FIXED)
    kinds = [
        f"optimizers.{player}: {old['optimizers'].get(player, {}).get('class_name')} before, "
        f"{described['class_name']} now"
        for player, described in new["optimizers"].items()
        if old["optimizers"].get(player, {}).get("class_name") != described["class_name"]
    ]
    if different or kinds:
        shown = "".join(f"\n  {line}" for line in [*different, *kinds])
        raise ZooError(
            f"run {run.name} cannot go on with other settings than these:{shown}\n"
            f"A new run with them starts from its weights: zoo run RECIPE --from {run.id}"
        )


def _changes(before: Manifest, now: Mapping[str, Any], fields: Sequence[str]) -> list[str]:
    """Every setting of some fields of the manifest that differs."""
    old, new = describe.comparable(before.json()), describe.comparable(now)
    return [line for field in fields for line in _differences(field, old[field], new[field])]


def _differences(where: str, before: Any, now: Any) -> list[str]:
    """Every setting that differs, as ``"model.settings.latent_dim: 16 before, 8 now"``."""
    if before == now:
        return []
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        keys = dict.fromkeys([*before, *now])
        return [
            line for k in keys for line in _differences(f"{where}.{k}", before.get(k), now.get(k))
        ]
    if where == "data.fingerprint":
        return [f"the examples themselves (SHA-256): {before[:8]} before, {now[:8]} now"]
    return [f"{where.replace('.settings', '')}: {before!r} before, {now!r} now"]


def _check_position(
    run: Run, recipe: Recipe, start: Snapshot | None, described: Manifest, further: bool
) -> None:
    trained = start.state["epoch"] if start else 0
    if recipe.epochs < trained + bool(start and start.state["step"]):
        raise ZooError(f"run {run.name} is in epoch {trained + 1} already: epochs has to be more")
    if described.status == "finished" and not further:
        raise ZooError(
            f"run {run.name} is finished, after {described.epochs} epochs. To go on: "
            f"zoo resume {run.id} epochs={2 * described.epochs}"
        )
    if described.status == "finished" and start is None:
        raise ZooError(
            f"run {run.name} has no checkpoint to go on from. A new run starts from its weights: "
            f"zoo run RECIPE --from {run.id}"
        )
