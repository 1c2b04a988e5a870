"""``zoo.load``: a run's trained model, NumPy in and out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import keras

from zoo.config import recipe as recipes
from zoo.engine.model import GenerativeModel, build
from zoo.engine.state import restore_networks
from zoo.errors import ZooError, shortened
from zoo.nn.samplers import Sampler
from zoo.plugin import serialization
from zoo.runs import folders, trust
from zoo.runs.checkpoints import THIS, Checkpoint, Damaged, Store
from zoo.runs.run import Run
from zoo.runtime import files
from zoo.runtime.console import say
from zoo.runtime.keras import precision


def load(
    run: Run | Path | str,
    *,
    which: Literal["final", "best"] = "final",
    recipe: Path | str | None = None,
    runs_folder: str | None = None,
) -> GenerativeModel:
    """Load what a run trained, under any backend.

    Args:
        run: a folder, a run's name or id, or ``"latest"``.
        which: ``"final"``, the weights that training ended with, or of a run that is not
            finished those of the last checkpoint; or ``"best"``, those of the best epoch by what
            the recipe's ``callbacks.Checkpoint`` goes by.
        recipe: the recipe's file, for a run whose networks are the recipe's own. It is
            run as Python; without it nothing of the run is.
        runs_folder: where runs are; default ``ZOO_RUNS``, else ``./runs``.

    Returns:
        The compiled ``keras.Model``, with ``sample``, ``reconstruct``, ``encode`` and
        ``decode`` where its model has them. Averaged weights where the run averaged.

    Raises:
        ZooError: there is no such run, it has no weights yet, they do not fit, or they are not
            those that training ended with.

    Example:

    >>> vae = zoo.load("latest")
    >>> vae.sample(16).shape
    (16, 28, 28, 1)
    """
    if not isinstance(run, Run):
        run = folders.find(str(run), folders.root(runs_folder))
    described = run.manifest
    checkpoint = _checkpoint(run, which)
    if checkpoint is None and not run.weights.is_file():
        raise ZooError(f"run {run.name} has no weights (status: {run.status})")
    missing = [field for field in _FIELDS if field not in described]
    if missing:
        raise ZooError(f"run {run.name}: its run.json is damaged: no {', '.join(missing)}")
    size = sum(a.nbytes for a in checkpoint.arrays.values()) if checkpoint else None
    with _blaming(run):
        run.check_hashes(weights=checkpoint is None)
        trust.described(described)
        plugin, spec, networks = _parts(run, described, recipe)
        weights = _numbers(described["weights"])
        with precision(described["precision"]), trust.budget(size or files.hdf5(run.weights)):
            model = build(plugin, spec, weights=weights, networks=networks, seed=described["seed"])
        model.compile(optimizers=_optimizers(described["optimizers"]), ema=described["ema"])
    if checkpoint:
        restore_networks(model, checkpoint.arrays)
    else:
        try:
            model.load_weights(run.weights)
        except (OSError, ValueError, KeyError) as error:
            raise ZooError(f"run {run.name}: {run.weights.name} does not load: {error}") from error
    if described["ema"] is not None:
        model.optimizer.finalize_variable_values(model.trainable_variables)
    if run.sampler.is_file():
        model.sampler = Sampler.load(run.sampler)
    return model


def _checkpoint(run: Run, which: str) -> Checkpoint | None:
    """The checkpoint whose weights are asked for; None for those that training ended with."""
    store = Store(run.checkpoints)
    if which == "final":
        return None if run.status == "finished" and run.weights.exists() else store.newest(say)
    newest = store.newest(say)
    best = newest.state.get("best") if newest else None
    if newest is None or not best:
        raise ZooError(
            f"run {run.name} keeps no best checkpoint: callbacks.Checkpoint(best=...) has one do so"
        )
    try:
        return newest if best["name"] == THIS else store.read(best["name"])
    except Damaged as error:
        raise ZooError(f"run {run.name}: the best checkpoint is damaged: {error}") from error


_FIELDS = ("model", "data", "seed", "precision", "weights", "optimizers", "ema")


def _parts(run: Run, described: Mapping[str, Any], recipe: Path | str | None):
    """The model, the data spec and the networks of the recipe's own."""
    if recipe is None:
        try:
            return *serialization.rebuild(described), {}
        except serialization.NeedsRecipe as error:
            copy = f" The run's copy of it is {run.recipe}" if run.recipe.exists() else ""
            raise ZooError(f"run {run.name}: {error}.{copy}") from error
    loaded = recipes.load(Path(recipe))
    return *serialization.rebuild(described, loaded.model), loaded.networks


def _optimizers(configs):
    return {player: keras.optimizers.deserialize(config) for player, config in configs.items()}


@contextlib.contextmanager
def _blaming(run: Run) -> Iterator[None]:
    """Tell what a damaged manifest leads to as one message on the run."""
    try:
        yield
    except serialization.NeedsRecipe:
        raise
    except ZooError as error:
        raise type(error)(f"run {run.name}: {error}") from error
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        MemoryError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        reason = shortened(f"{type(error).__name__}: {error}", 200)
        raise ZooError(f"run {run.name}: its run.json cannot be used: {reason}") from error


def _numbers(weights):
    """The weights that are numbers; a schedule has no say once training is over."""
    return {
        player: {term: w for term, w in own.items() if isinstance(w, (int, float))}
        for player, own in weights.items()
    }
