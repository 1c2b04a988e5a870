"""``zoo.load``: a run's trained model, NumPy in and out."""

from __future__ import annotations

from pathlib import Path

import keras

from zoo import manifest, recipe as recipes, runs
from zoo.engine.base import GenerativeModel
from zoo.engine.build import build
from zoo.errors import ZooError
from zoo.plugin import DataSpec
from zoo.runs import Run


def load(
    run: Run | Path | str, *, recipe: Path | str | None = None, runs_folder: str | None = None
) -> GenerativeModel:
    """Load what a run trained, under any backend.

    Args:
        run: a folder, a run's name or id, or ``"latest"``.
        recipe: the recipe's file, for a run whose networks are the recipe's own. It is
            run as Python; without it nothing of the run is.
        runs_folder: where runs are; default ``ZOO_RUNS``, else ``./runs``.

    Returns:
        The compiled ``keras.Model``, with ``sample``, ``reconstruct``, ``encode`` and
        ``decode`` where its model has them. Averaged weights where the run averaged.

    Raises:
        ZooError: there is no such run, it has no weights yet, or they do not fit.

    Example:

    >>> vae = zoo.load("latest")
    >>> vae.sample(16).shape
    (16, 28, 28, 1)
    """
    if not isinstance(run, Run):
        run = runs.find(str(run), runs.root(runs_folder))
    described = run.manifest
    if not run.weights.exists():
        raise ZooError(f"run {run.name} has no weights yet (status: {run.status})")
    if recipe is not None:
        loaded = recipes.load(Path(recipe))
        plugin, networks = loaded.model, loaded.networks
        data = described["data"]
        spec = DataSpec(tuple(data["shape"]), int(data["classes"]))
    else:
        (plugin, spec), networks = manifest.rebuild(described), {}
    weights = _numbers(described.get("weights", {}))
    model = build(plugin, spec, weights=weights, networks=networks, seed=described["seed"])
    model.compile(
        optimizers={
            player: keras.optimizers.deserialize(config)
            for player, config in described["optimizers"].items()
        },
        ema=described["ema"],
    )
    try:
        model.load_weights(run.weights)
    except (OSError, ValueError, KeyError) as error:
        raise ZooError(f"run {run.name}: {run.weights.name} does not load: {error}") from error
    if described["ema"] is not None:
        model.optimizer.finalize_variable_values(model.trainable_variables)
    return model


def _numbers(weights):
    """The weights that are numbers; a schedule has no say once training is over."""
    return {
        player: {term: w for term, w in own.items() if isinstance(w, (int, float))}
        for player, own in weights.items()
    }
