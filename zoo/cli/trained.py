"""What the commands on a finished run share: open it, read its data, write pictures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from zoo import backends, runs
from zoo.cli.quiet import import_backend
from zoo.errors import ZooError


def opened(
    text: str,
    runs_folder: str | None,
    recipe: str | None,
    backend: str | None,
    device: str | None,
) -> tuple[runs.Run, Any]:
    """The run a person means and its model, under the backend chosen for this process."""
    run = runs.find(text, runs.root(runs_folder))
    backends.activate(backends.choose(backend, Path(recipe) if recipe else None, device))
    import_backend()
    from zoo.loading import load

    return run, load(run, recipe=recipe)


def test_split(run: runs.Run, data_dir: str | None, recipe: str | None) -> Any:
    """The test examples of a run's own data, binarized as the run did.

    Raises:
        ZooError: the data cannot be had, or are other data than the run was trained on.
    """
    from zoo import recipe as recipes
    from zoo import registry
    from zoo.datasets import Access, Split
    from zoo.datasets.pipeline import binarize_once

    manifest = run.manifest
    described, trained_on = manifest["dataset"], manifest["data"]
    if described["name"]:
        dataset = registry.create("datasets", described["name"], **described["settings"])
    elif recipe:
        dataset = recipes.load(Path(recipe)).dataset
    else:
        raise ZooError(
            f"run {run.name}: its data, {described['class']}, are the recipe's own: "
            f"name the recipe, as --recipe {run.recipe}"
        )
    data = dataset.load(Access(data_dir=Path(data_dir) if data_dir else None, say=_say))
    if data.fingerprint != trained_on["fingerprint"]:
        raise ZooError(
            f"run {run.name} was trained on {trained_on['name']}, and what is found here is "
            f"{data.name} with another fingerprint: name the right data with --data-dir or ZOO_DATA"
        )
    if described["settings"].get("binarize"):
        return Split(binarize_once(data.test.x, manifest["seed"], "test"), data.test.y)
    return data.test


def written(target: Path, run: runs.Run, examples: np.ndarray, originals=None) -> str:
    """Write examples as a picture, or as numbers where the file is .npy; say where."""
    from zoo import pictures

    name = run.manifest["data"]["name"]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix == ".npy":
            np.save(target, examples)
            return f"{target}  float32 {examples.shape}"
        if examples.ndim != 4 and examples.shape[1:] != (2,):
            raise ZooError("such examples cannot be drawn: write numbers, with --out FILE.npy")
        if examples.ndim != 4:
            image = pictures.scatter(examples, originals)
        elif originals is None:
            image = pictures.grid(examples)
        else:
            image = pictures.pairs(originals, examples)
        if "stand-in" in name:
            image = pictures.caption(image, name)
        pictures.save(target, image, data=name, run=run.name)
    except OSError as error:
        raise ZooError(f"cannot write {target}: {error.strerror or error}") from error
    return f"{target}  {len(examples)} examples"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
