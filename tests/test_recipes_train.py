"""Every shipped recipe trains as it is, with all of its callbacks and metrics, on few examples."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import zoo
from tests.resumable import QUIET
from zoo import datasets
from zoo.config import recipe as recipes
from zoo.config import recipe_files

FEW = 2_048  # examples: a Frechet distance needs more than its space has dimensions


def examples(recipe: zoo.Recipe, folder) -> zoo.Dataset | None:
    """Random pictures for a recipe whose data are not here; None for one that makes its own."""
    dataset, path = recipe.dataset, folder / "examples.npz"
    if isinstance(dataset, datasets.CIFAR10):
        shape = (32, 32, 3)
    elif isinstance(dataset, datasets.Folder):
        shape = (dataset.size, dataset.size, 3)
    elif isinstance(dataset, datasets.Arrays):
        shape = (8, 8, 1)
    else:
        return None
    numbers = np.random.RandomState(0)
    x = numbers.randint(0, 256, size=(FEW, *shape), dtype="uint8")
    np.savez(path, x=x, y=numbers.randint(0, 10, FEW))
    return datasets.Arrays(str(path), batch_size=dataset.batch_size, validation=0.25, test=0.25)


@pytest.mark.slow
@pytest.mark.backend_free
@pytest.mark.parametrize("name", sorted(recipe_files.shipped()))
def test_a_shipped_recipe_trains_with_its_callbacks(name, tmp_path):
    recipe = recipes.load(recipe_files.shipped()[name])
    if (other := examples(recipe, tmp_path)) is not None:
        recipe = dataclasses.replace(recipe, dataset=other)
    else:
        fields = {field.name for field in dataclasses.fields(recipe.dataset)}
        few = dict.fromkeys(fields & {"limit", "n", "held_out"}, FEW)
        recipe = dataclasses.replace(recipe, dataset=dataclasses.replace(recipe.dataset, **few))
    trained = zoo.train(
        dataclasses.replace(recipe, epochs=1), runs_folder=str(tmp_path), access=QUIET
    )
    assert trained.manifest.status == "finished"
