"""Data with several named sources: what a model is given, and what does not fit it."""

from __future__ import annotations

import dataclasses
import json

import keras
import numpy as np
import pytest
from keras import ops

import zoo
from tests import resumable
from tests.translation import (
    PAIRED,
    PHOTO,
    PLAIN,
    SKETCH,
    SOURCES,
    UNPAIRED,
    CycleGAN,
    Drawings,
    Painter,
    Sorter,
    pictures,
    recipe,
)
from zoo import datasets
from zoo.datasets import Batches
from zoo.errors import CodeFailed, ZooError
from zoo.plugin import loading, registry, serialization
from zoo.plugin.model import Batch, DataSpec

QUIET = resumable.QUIET
FREE = pytest.mark.backend_free


# --- what fit takes


def test_pictures_of_each_source_are_scaled():
    model = zoo.build(CycleGAN(), UNPAIRED)
    full = {"photo": np.full((2, *PHOTO), 255, "uint8"), "sketch": np.zeros((2, *SKETCH), "uint8")}
    batch = model.batch_of((full,))
    assert batch.x is batch.photo and float(ops.max(batch.photo)) == 1.0
    assert float(ops.max(batch.sketch)) == -1.0
    batch = model.batch_of(({**full, "sketch": np.full((2, *SKETCH), 0.5, "float32")},))
    assert float(ops.max(batch.sketch)) == 0.5


@pytest.mark.parametrize("names", [("x", "label"), ("image", "label"), ("image", "labels")])
def test_a_dict_is_taken_for_a_single_source_too(names):
    model = zoo.build(Sorter(), DataSpec(SKETCH, 2))
    x, y = pictures(4, SKETCH, 0), np.array([0, 1, 0, 1])
    batch = model.batch_of(dict(zip(names, (x, y), strict=True)))
    assert ops.convert_to_numpy(batch.labels).tolist() == [0, 1, 0, 1]
    model.compile(optimizers={"sorter": "sgd"})
    given = dict(zip(names, (x, y), strict=True))
    loss = model.fit(given, batch_size=2, shuffle=False, verbose=0).history["loss"]
    other = zoo.build(Sorter(), DataSpec(SKETCH, 2))
    other.compile(optimizers={"sorter": "sgd"})
    assert loss == other.fit(x, y, batch_size=2, shuffle=False, verbose=0).history["loss"]


def test_keras_hands_batches_through(tmp_path):
    model = zoo.build(CycleGAN(), UNPAIRED)
    model.compile(optimizers={player: "sgd" for player in model.players})
    batches = Batches(Drawings().load().train, 8, seed=0, shuffle=True)
    history = model.fit(batches, epochs=2, shuffle=False, verbose=0).history
    assert np.isfinite(history["generators/photo_cycle"]).all() and batches.epoch == 2
    assert np.isfinite(model.evaluate(batches, verbose=0, return_dict=True)["loss"])


X = np.zeros((2, *PHOTO), "uint8")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (X, r'built for the sources photo and sketch: give them by name.*fit\(\{"photo": \.\.\.'),
        ({"photo": X}, r"this batch has photo, with sketch missing\. It was built for the sour"),
        ({"photo": X, "sketches": X}, r"sketch missing; did you mean 'sketch'\? It was built"),
        ({"photo": X, "sketch": X[..., :1], "mask": X}, r"with mask unknown"),
        (
            {"photo": X, "sketch": X},
            r"built for sketch of shape \(8, 8, 1\); these have \(8, 8, 3\)",
        ),
    ],
)
def test_a_batch_with_other_sources_is_refused(given, said):
    model = zoo.build(CycleGAN(), UNPAIRED)
    with pytest.raises(ZooError, match=said):
        model.batch_of((given,))


@pytest.mark.once_in_short
def test_as_many_of_each_source_are_given_to_fit():
    model = zoo.build(CycleGAN(), UNPAIRED)
    model.compile(optimizers={player: "sgd" for player in model.players})
    given = {"photo": X, "sketch": X[:1, ..., :1]}
    said = "CycleGAN.{}: 2 examples of photo and 1 example of sketch; give as many of each"
    for method in (model.fit, model.evaluate, model.train_on_batch):
        with pytest.raises(ZooError, match=said.format(method.__name__)):
            method(given)
    enough = {"photo": X, "sketch": X[..., :1]}
    with pytest.raises(ZooError, match=said.format("fit, validation_data")):
        model.fit(enough, validation_data=given)


class Broken(datasets.Digits):
    """A dataset with a bug."""

    def load(self, access=None):
        return {}["images"]


@FREE
def test_a_bug_of_a_dataset_is_told_as_its_own(monkeypatch):
    said = r"^load of the dataset {} \(tests.test_sources:Broken{}, in .*test_sources.py\) raised "
    said += r"KeyError: 'images' \(test_sources.py, line \d+\)$"
    with pytest.raises(CodeFailed, match=said.format("Broken", "")):
        datasets.Sources({"photo": Broken()}).load(QUIET)
    record = registry.Record("datasets", "odd", "tests.test_sources:Broken", "odd-data", "1.0")
    monkeypatch.setattr(registry, "records", lambda kind: [record])
    of = " of the plugin odd-data 1.0"
    with pytest.raises(CodeFailed, match=said.format("'odd'", of)):
        loading.load(Broken(), QUIET)
    monkeypatch.setattr(datasets.Digits, "load", Broken.load)
    with pytest.raises(KeyError):  # a bug of the zoo's own
        loading.load(datasets.Digits(), QUIET)
    monkeypatch.setattr(Broken, "load", lambda self, access: None)
    with pytest.raises(ZooError, match=r"^load of the dataset .*\) gives Data, not None"):
        loading.load(Broken(), QUIET)


# --- mismatches, each one message


class Pairs(CycleGAN):
    unpaired = ()


class Both(CycleGAN):
    conditional = True


@pytest.mark.parametrize(
    ("model", "data", "said"),
    [
        (
            CycleGAN(),
            PLAIN,
            r"^CycleGAN needs the sources photo and sketch, and these data have one source without "
            r"a name\. Give data whose spec is DataSpec\(sources=\{\"photo\": \(8, 8, \.\.\.\), "
            r"\"sketch\": \(8, 8, \.\.\.\)\}, unpaired=\('sketch',\)\), such as "
            r"datasets\.Arrays\(PATH, sources=\('photo', 'sketch'\), unpaired=\('sketch',\)\)$",
        ),
        (
            CycleGAN(),
            DataSpec(sources={"photo": PHOTO, "drawing": SKETCH}),
            "and these data have photo and drawing",
        ),
        (
            CycleGAN(),
            DataSpec(sources={"sketch": SKETCH, "photo": PHOTO}),
            r"^CycleGAN needs photo first, because it is batch\.x, and these data have sketch and "
            r"photo in this order\. Name them in the order of the model, as in datasets\.Arr",
        ),
        (
            Pairs(),
            UNPAIRED,
            r"^Pairs needs pairs, row i of sketch for row i of photo, and these data have sketch "
            r"unpaired\. A model that needs none says unpaired = \('sketch',\)$",
        ),
        (
            Painter(),
            DataSpec(SKETCH, 2, missing_labels=True),
            r"^Painter takes no missing labels, .* missing_labels = True; Painter needs the "
            "sources picture and mask",
        ),
        (Both(), PLAIN.__class__(PHOTO), r"^Both is conditional, and these data have no labels; "),
    ],
)
def test_a_model_and_data_that_do_not_fit_are_told_in_one_message(model, data, said):
    with pytest.raises(ZooError, match=said):
        zoo.build(model, data)


def test_a_recipe_is_refused_before_anything_is_trained(tmp_path):
    with pytest.raises(ZooError, match="CycleGAN needs the sources photo and sketch"):
        resumable.train(recipe(dataset=datasets.Digits()), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_model_takes_data_with_more_sources_than_it_needs(tmp_path):
    vae = zoo.model("vae", latent_dim=2, units=(8,))
    of = recipe(vae, Drawings(batch_size=8), epochs=1, callbacks=[])
    assert np.isfinite(resumable.train(of, tmp_path).read_json("results.json")["test"]["loss"])


def test_a_source_that_was_not_declared_is_named():
    class Greedy(Painter):
        sources = ()

    with pytest.raises(ZooError, match=r"there is no batch\.picture\. This batch has x, labels; "):
        zoo.build(Greedy(), DataSpec(SKETCH))
    batch = Batch.of({"photo": X, "sketch": X}, None)
    with pytest.raises(
        ZooError, match=r"no batch\.sketsh; did you mean 'sketch'\?.* x, labels, ph"
    ):
        _ = batch.sketsh
    assert not hasattr(batch, "mask") and hasattr(batch, "sketch")


@FREE
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"sources": {"x": PHOTO}}, "'x' cannot name a source"),
        ({"sources": {"a-b": PHOTO}}, "'a-b' cannot name a source"),
        ({"sources": SOURCES, "unpaired": ("photo",)}, "no source beside the first; those are: sk"),
        ({"unpaired": ("a",)}, "unpaired names 'a', .* those are: none"),
        ({"shape": SKETCH, "sources": SOURCES}, r"shape is that of the first source, \(8, 8, 3\)"),
    ],
)
def test_specs_are_checked(settings, said):
    with pytest.raises(ZooError, match=said):
        DataSpec(**settings)


@FREE
def test_specs_survive_json():
    for spec in (PLAIN, PAIRED, UNPAIRED, DataSpec((2,), 3, missing_labels=True)):
        about = {"name": "vae", "class": "zoo_vae:VAE", "settings": {}}
        told = {"model": about, "data": serialization.described(spec)}
        again = serialization.rebuild(json.loads(json.dumps(told)))[1]
        assert again == spec and list(again.sources) == list(spec.sources)
        assert hash(again) == hash(spec)
    assert repr(PLAIN) == "DataSpec(shape=(8, 8, 3), classes=3)"


def test_saved_whole(tmp_path):
    vae = zoo.build(zoo.model("vae", latent_dim=2, units=(8,)), UNPAIRED)
    vae.save(tmp_path / "vae.keras")
    assert keras.saving.load_model(tmp_path / "vae.keras").data == UNPAIRED


@FREE
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"paired": {"sketch": 1}},
            r"paired sources beside the first are none, and .* holds sketch",
        ),
        ({"unpaired": {}}, r"unpaired sources beside the first are sketch, and .* holds none"),
    ],
)
def test_data_that_differ_from_their_spec_are_refused(changes, said):
    data = Drawings().load()
    arrays = {"paired": {"sketch": pictures(30, SKETCH, 0)}, "unpaired": {}}
    train = dataclasses.replace(data.train, **{name: arrays[name] for name in changes})
    with pytest.raises(ZooError, match=said):
        dataclasses.replace(data, train=train).check()
