"""``zoo.load``: the trained model of a run or a pack, NumPy in and out."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal

import keras
import numpy as np

from zoo.config import recipe as recipes
from zoo.engine import state
from zoo.engine.model import GenerativeModel, build
from zoo.errors import ZooError, shortened
from zoo.plugin import network_configs, serialization
from zoo.runs import artifact, folders, own_networks, results, trust
from zoo.runs.manifest import Manifest
from zoo.runs.run import Run
from zoo.runtime import keras as settings
from zoo.runtime.console import figure, printable
from zoo.runtime.keras import pinned


@pinned()
def load(
    run: Run | Path | str,
    *,
    which: Literal["final", "best"] = "final",
    recipe: Path | str | None = None,
    runs_folder: str | None = None,
    precision: Literal["float32"] | None = None,
) -> GenerativeModel:
    """Load what a run trained, under any backend.

    Args:
        run: a folder, a run's name or id, ``"latest"``, the name of a pretrained model, or a
            recipe's name for its newest finished run; see ``zoo.runs.folders.find``.
        which: ``"final"``, the weights that training ended with, or of a run that is not
            finished those of the last checkpoint; or ``"best"``, those of the best epoch by what
            the recipe's ``callbacks.Checkpoint`` goes by.
        recipe: the recipe's file, for a run whose networks are the recipe's own. It is
            run as Python; without it nothing of the run is. Networks that Keras can describe
            are kept in the run, and need no recipe.
        runs_folder: where runs are; default ``ZOO_RUNS``, else ``./runs``.
        precision: ``"float32"`` to compute in it, also where the run trained in mixed precision;
            default the run's own. Networks that are kept as configs keep theirs.

    Returns:
        The compiled ``keras.Model``, with ``sample``, ``reconstruct``, ``encode`` and
        ``decode`` where its model has them. Averaged weights where the run averaged. A run's
        optimizers have their state; a pack holds none, and its players get plain SGD.

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
    arrays = artifact.arrays(run, described, which)
    averaged = described.ema is not None and not described.pack
    with _blaming(run):
        plugin, spec, networks = _parts(run, described, recipe)
        policy = precision or described.precision
        without = described.pack.without if described.pack else ()
        with settings.precision(policy), trust.budget(arrays, bool(networks or without)):
            weights = _numbers(described)
            model = build(plugin, spec, weights=weights, networks=networks, seed=described.seed)
        model.of_run, model.class_names = True, tuple(described.data.class_names)
        model.compile(
            optimizers=_optimizers(described, model), ema=described.ema if averaged else None
        )
    if described.pack:
        state.restore_networks(model, {**_left_out(model, without), **arrays}, f"run {run.name}")
    else:
        state.restore(model, arrays, what=f"run {run.name}")
    if averaged:
        model.optimizer.finalize_variable_values(model.trainable_variables)
    model.sampler = artifact.sampler(run, described)
    model.about = tuple(_about(run, described))
    return model


def _about(run: Run, described: Manifest) -> Iterator[str]:
    """What a person wants to know of a model at a glance, in lines."""
    status = "a pack" if described.pack else run.status_of(described)
    yield f"{folders.title(run)}: {status}, epoch {described.epoch} of {described.epochs}"
    yield f"trained on {printable(described.data.name)} with {described.backend}"
    try:
        measured = results.kept(run)
    except ZooError:  # damaged, which costs nothing but these figures
        return
    if measured:
        yield "  ".join(f"{name} {figure(found)}" for name, found in measured.items())
    if described.pack and described.pack.without:
        yield f"without the weights of: {printable(', '.join(described.pack.without))}"


def _left_out(model: GenerativeModel, names: Collection[str]) -> dict[str, np.ndarray]:
    """What networks are that a pack has no weights of: as they begin."""
    prefixes = tuple(f"networks/{name}/" for name in names)
    return {
        name: array for name, array in state.networks(model).items() if name.startswith(prefixes)
    }


def _parts(run: Run, described: Manifest, recipe: Path | str | None):
    """The model, the data spec and the networks of the recipe's own."""
    if recipe is None:
        try:
            configs = own_networks.read(run, described)
            missing = [name for name in described.networks if name not in configs]
            parts = serialization.rebuild({**described.json(), "networks": missing})
            return *parts, network_configs.factories(configs)
        except serialization.NeedsRecipe as error:
            copy = f" The run's copy of it is {run.recipe}" if run.recipe.exists() else ""
            raise serialization.NeedsRecipe(f"run {run.name}: {error}.{copy}") from error
    loaded = recipes.load(Path(recipe))
    return *serialization.rebuild(described.json(), loaded.model), loaded.networks


def _optimizers(described: Manifest, model: GenerativeModel):
    if described.pack:
        return {player: keras.optimizers.SGD() for player in model.players}
    trust.check_optimizers(described.optimizers)
    configs = described.optimizers.items()
    return {player: keras.optimizers.deserialize(config) for player, config in configs}


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


def _numbers(described: Manifest) -> dict[str, dict[str, float]]:
    """The weights of terms that are numbers; a schedule has no say once training is over."""
    return {
        player: {term: w for term, w in own.items() if isinstance(w, (int, float))}
        for player, own in described.weights.items()
    }
