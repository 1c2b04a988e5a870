"""A new run starts from the weights of another one, network by network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from zoo.engine.model import GenerativeModel
from zoo.errors import ZooError
from zoo.runs import folders
from zoo.runs.run import Run


def weights(
    model: GenerativeModel,
    run: Run | Path | str | None,
    recipe: str | Path | None,
    runs_folder: str | None,
    say: Callable[[str], None],
) -> str | None:
    """Give a model the weights of a run's networks of the same names and shapes.

    Args:
        model: compiled, untrained.
        run: the run, or None for none.
        recipe: the file of the model's recipe, for a run whose model came with one.
        runs_folder: where runs are.
        say: told which networks were given weights and which start afresh.

    Returns:
        The run's name, or the pretrained model's.

    Raises:
        ZooError: there is no such run, or no network of it fits.
    """
    from zoo.plugin.serialization import NeedsRecipe
    from zoo.runs.load import load

    if run is None:
        return None
    if not isinstance(run, Run):
        run = folders.find(str(run), folders.root(runs_folder))
    try:
        source = load(run)
    except NeedsRecipe:
        if not recipe:
            raise
        source = load(run, recipe=recipe)
    taken, anew = [], []
    for name, network in model.networks.items():
        if why := _difference(
            network, source.networks[name] if name in set(source.networks) else None
        ):
            anew.append(f"{name} ({why})")
            continue
        for ours, theirs in zip(network.variables, source.networks[name].variables, strict=True):
            ours.assign(np.array(theirs.numpy()))
        taken.append(name)
    told = folders.title(run)
    if not taken:
        raise ZooError(f"--from {told}: no network of it fits: {'; '.join(anew)}")
    say(
        f"weights of {', '.join(taken)} from {told}"
        + (f"; anew: {', '.join(anew)}" if anew else "")
    )
    return told


def _difference(network, other) -> str:
    if other is None:
        return "it has none of that name"
    here, there = ([tuple(v.shape) for v in n.variables] for n in (network, other))
    if len(here) != len(there):
        return f"{len(there)} variables there, {len(here)} here"
    return next((f"{b} there, {a} here" for a, b in zip(here, there, strict=True) if a != b), "")
