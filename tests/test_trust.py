"""Somebody's run is data: what docs/trust.md says is not run is not run."""

from __future__ import annotations

import keras
import pytest

import zoo
from zoo import datasets
from zoo.datasets import Access
from zoo.errors import ZooError

pytestmark = pytest.mark.once_in_short


@pytest.fixture
def run(tmp_path):
    recipe = zoo.Recipe(
        model=zoo.model("ae", latent_dim=2, units=(4,)),
        dataset=datasets.Digits(batch_size=512),
        optimizers={"autoencoder": keras.optimizers.SGD(0.01)},
        epochs=1,
    )
    return zoo.train(recipe, runs_folder=str(tmp_path), access=Access(say=lambda line: None))


def evil(tmp_path, monkeypatch):
    """A module that leaves a mark when it is imported."""
    mark = tmp_path / "imported"
    (tmp_path / "evil_module.py").write_text(
        f"open({str(mark)!r}, 'w').close()\nclass AE:\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return mark


def test_a_recipe_in_the_folder_is_not_run(run, tmp_path):
    mark = tmp_path / "ran"
    run.recipe.write_text(f"open({str(mark)!r}, 'w').close()\n")
    assert zoo.load(run).sampler is None
    assert not mark.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"name": "evil_module:AE", "class": "evil_module:AE"},
        {"name": None, "class": "evil_module:AE"},
    ],
)
def test_a_class_that_the_file_names_is_not_imported(run, tmp_path, monkeypatch, change):
    mark = evil(tmp_path, monkeypatch)
    described = run.manifest.json()
    described["model"] |= change
    run.write_json("run.json", described)
    with pytest.raises(ZooError):
        zoo.load(run)
    assert not mark.exists()


def test_an_optimizer_that_the_file_names_is_not_imported(run, tmp_path, monkeypatch):
    mark = evil(tmp_path, monkeypatch)
    described = run.manifest.json()
    described["optimizers"]["autoencoder"] |= {
        "module": "evil_module",
        "class_name": "AE",
        "registered_name": "AE",
    }
    run.write_json("run.json", described)
    with pytest.raises(ZooError, match="optimizer"):
        zoo.load(run)
    assert not mark.exists()
