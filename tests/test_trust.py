"""Somebody's run is data: what docs/concepts/trust.md says is not run is not run."""

from __future__ import annotations

import os
import sys
import types

import keras
import numpy as np
import pytest

import zoo
from zoo import datasets
from zoo.datasets import Access, mnist
from zoo.errors import ZooError
from zoo.runs import results

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


def named(run, kind, name, /, **settings):
    """The run, with a dataset or a metric of this name in its manifest."""
    described = run.manifest.json()
    part = {"name": name, "class": "x:Y", "settings": settings}
    run.write_json("run.json", {**described, kind: part if kind == "dataset" else [part]})
    return run


QUIET = Access(say=lambda line: None)


@pytest.mark.parametrize(
    "dataset",
    [
        ("folder", {"path": "{outside}"}),
        ("folder", {"path": "outside"}),
        ("folder", {"path": "~"}),
        ("arrays", {"path": "{outside}/a.npz"}),
        ("arrays", {"path": "{outside}/pipe.npy"}),
        ("arrays", {"path": "/dev/zero"}),
        ("huggingface", {"path": "{outside}"}),
        ("huggingface", {"path": "../outside"}),
        ("tfds", {"name": "namespace:own"}),
    ],
)
@pytest.mark.parametrize("where", ["nowhere", "chosen"])
def test_data_that_a_run_names_are_not_opened_unasked(run, tmp_path, monkeypatch, dataset, where):
    outside, chosen = tmp_path / "outside", tmp_path / "chosen"
    for folder in (outside, chosen):
        folder.mkdir()
    os.mkfifo(outside / "pipe.npy")
    (outside / "a.npz").write_bytes(b"x")
    (chosen / "outside").symlink_to(outside)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ZOO_DATA", raising=False)
    for module in ("datasets", "tensorflow_datasets"):  # neither is asked
        monkeypatch.setitem(sys.modules, module, types.ModuleType(module))
    name, settings = dataset
    settings = {key: value.format(outside=outside) for key, value in settings.items()}
    access = Access(data_dir=chosen if where == "chosen" else None, say=QUIET.say)
    with pytest.raises(ZooError, match=r"--recipe FILE"):
        results.data_of(named(run, "dataset", name, **settings), access)


def test_data_that_a_run_names_are_opened_below_the_folder_that_one_names(
    run, tmp_path, monkeypatch
):
    monkeypatch.delenv("ZOO_DATA", raising=False)
    np.savez(tmp_path / "a.npz", x=np.zeros((20, 8, 8), "uint8"))
    for path in ("a.npz", str(tmp_path / "a.npz")):
        named(run, "dataset", "arrays", path=path)
        with pytest.raises(ZooError, match="with another fingerprint"):  # it was read
            results.data_of(run, Access(data_dir=tmp_path, say=QUIET.say))
    with pytest.raises(ZooError, match=rf"--data-dir {tmp_path} or ZOO_DATA"):
        results.data_of(run, QUIET)


@pytest.mark.parametrize("classifier", ["{run}/recipe.py", "{run}", "judge", "~/recipe.py"])
def test_a_classifier_that_a_run_names_is_neither_run_nor_opened(
    run, tmp_path, monkeypatch, classifier
):
    mark = tmp_path / "ran"
    monkeypatch.chdir(run.path)
    for name in ("recipe.py", "judge"):
        (run.path / name).write_text(f"open({str(mark)!r}, 'w').close()\n")
    named(run, "metrics", "recognition", classifier=classifier.format(run=run.path))
    for names in ((), ("recognition",)):
        with pytest.raises(ZooError, match=r"metrics\.0\.settings\.classifier is .*--recipe FILE"):
            results.metrics_of(run, names)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("space", "setting"),
    [
        ({"class": "features:judge", "classifier": "{run}"}, "classifier"),
        ({"class": "Judge", "classifier": "{run}/recipe.py"}, "classifier"),
        ({"class": "features:inception", "weights": "/dev/zero"}, "weights"),
        ({"class": "Inception", "weights": "weights.pth"}, "weights"),
    ],
)
def test_a_feature_space_that_a_run_names_opens_nothing(run, space, setting):
    given = {key: value.format(run=run.path) for key, value in space.items()}
    named(run, "metrics", "prdc", space=given)
    for names in ((), ("prdc",)):
        with pytest.raises(ZooError, match=rf"settings\.space\.{setting} is .*--recipe FILE"):
            results.metrics_of(run, names)
    named(
        run, "metrics", "prdc", space={"class": "features:judge", "classifier": "classifier_mnist"}
    )
    assert results.metrics_of(run)[0].space.classifier == "classifier_mnist"


def test_a_file_does_not_stand_in_for_the_classifier_of_the_zoo(run, tmp_path, monkeypatch):
    mark = tmp_path / "ran"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "classifier_mnist").write_text(f"open({str(mark)!r}, 'w').close()\n")
    named(run, "metrics", "recognition", classifier="classifier_mnist")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(mnist, "MIRRORS", ())
    [metric] = results.metrics_of(run)
    with pytest.raises(ZooError):  # whatever it says of the data: they are others
        metric.prepare(zoo.datasets.Digits().load(), QUIET, str(tmp_path))
    assert not mark.exists()
