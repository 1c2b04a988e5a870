"""Batches: what each depends on, and that ``fit`` sees each row once an epoch."""

from __future__ import annotations

import dataclasses
import json
import random

import keras
import numpy as np
import pytest

import zoo
from zoo.config.overrides import override
from zoo.datasets import Batches, Lazy, Split
from zoo.datasets.pipeline import binarize_once
from zoo.errors import ZooError
from zoo.plugin import lazy
from zoo.plugin.dataset import sha256

pytestmark = pytest.mark.once_in_short


def numbered(n: int, labels: bool = True) -> Split:
    """Pictures of one pixel, each with its own value up to 255."""
    x = np.arange(n, dtype=np.uint8).reshape(n, 1, 1, 1)
    return Split(x, np.arange(n, dtype=np.int32) % 3 if labels else None)


def rows(batches: Batches) -> list[int]:
    return np.concatenate([item[0].ravel() for item in batches]).tolist()


def test_plain_order_and_ragged_end():
    batches = Batches(numbered(10), 4, seed=0)
    assert len(batches) == 3
    assert [item[0].shape for item in batches] == [(4, 1, 1, 1), (4, 1, 1, 1), (2, 1, 1, 1)]
    assert rows(batches) == list(range(10))
    assert batches[2][1].tolist() == [2, 0]
    with pytest.raises(IndexError):
        batches[3]


def test_without_labels():
    batches = Batches(numbered(10, labels=False), 4, seed=0)
    assert [len(item) for item in batches] == [1, 1, 1]


def test_shuffled_order_depends_on_seed_and_epoch_alone():
    batches = Batches(numbered(50), 8, seed=3, shuffle=True)
    first = rows(batches)
    assert sorted(first) == list(range(50))
    assert first != list(range(50))
    batches.epoch = 1
    second = rows(batches)
    assert sorted(second) == list(range(50))
    assert second != first
    batches.epoch = 0
    assert rows(batches) == first
    again = Batches(numbered(50), 8, seed=3, shuffle=True)
    np.testing.assert_array_equal(again[4][0].ravel(), first[32:40])
    assert rows(Batches(numbered(50), 8, seed=4, shuffle=True)) != first


def test_order_is_that_of_every_release():
    batches = Batches(numbered(12), 12, seed=0, shuffle=True)
    assert rows(batches) == [3, 5, 6, 1, 0, 8, 4, 11, 7, 2, 10, 9]


def test_labels_follow_their_pictures():
    for x, y in Batches(numbered(50), 8, seed=3, shuffle=True):
        np.testing.assert_array_equal(x.ravel() % 3, y)


def test_repeats_drop_what_does_not_fill_an_item():
    batches = Batches(numbered(50), 4, seed=0, shuffle=True, repeats=5)
    assert len(batches) == 2
    assert [len(item[0]) for item in batches] == [20, 20]
    assert len(set(rows(batches))) == 40
    single = Batches(numbered(50), 4, seed=0, shuffle=True)
    assert rows(batches) == rows(single)[:40]


def test_dynamic_binarization_has_the_right_probabilities():
    x = np.repeat(np.arange(256, dtype=np.uint8), 4096).reshape(256, 4096).T[:, :, None, None]
    batches = Batches(Split(np.ascontiguousarray(x)), 4096, seed=1, binarize=True)
    (drawn,) = batches[0]
    assert drawn.dtype == np.uint8
    assert set(np.unique(drawn)) == {0, 255}
    share = (drawn == 255).mean((0, 2, 3))
    p = np.arange(256) / 255
    assert share[0] == 0
    assert share[255] == 1
    deviation = (share - p)[1:-1] / np.sqrt(p * (1 - p) / 4096)[1:-1]
    assert np.abs(deviation).max() < 4.5
    assert abs(deviation.std() - 1) < 0.2


def test_dynamic_binarization_depends_on_seed_epoch_and_index_alone():
    split = Split(np.full((16, 5, 5, 1), 128, np.uint8))
    batches = Batches(split, 4, seed=1, binarize=True)
    drawn = [batches[index][0] for index in range(4)]
    for one in range(4):
        np.testing.assert_array_equal(batches[one][0], drawn[one])
        assert all((drawn[one] != drawn[other]).any() for other in range(one))
    batches.epoch = 1
    assert (batches[0][0] != drawn[0]).any()
    assert (Batches(split, 4, seed=2, binarize=True)[0][0] != drawn[0]).any()
    assert split.x.min() == split.x.max() == 128


def test_extremes_are_exact():
    x = np.repeat(np.uint8([0, 255]), 1_000_000)
    drawn = binarize_once(x, 0, "test")
    np.testing.assert_array_equal(drawn, x)


def test_binarize_once():
    x = np.random.default_rng(0).integers(0, 256, (3000, 7, 7, 1), np.uint8)
    drawn = binarize_once(x, 0, "test")
    assert drawn.shape == x.shape
    assert drawn.dtype == np.uint8
    assert set(np.unique(drawn)) == {0, 255}
    np.testing.assert_array_equal(drawn, binarize_once(x, 0, "test"))
    np.testing.assert_array_equal(drawn[:10], binarize_once(x[:10], 0, "test"))
    assert (drawn != binarize_once(x, 0, "validation")).any()
    assert (drawn != binarize_once(x, 1, "test")).any()
    assert (drawn[:1024] != drawn[1024:2048]).any()
    assert binarize_once(x[:0], 0, "test").shape == (0, 7, 7, 1)


def test_what_cannot_be_fed():
    with pytest.raises(ZooError, match="3 examples do not fill one step of 2 x 2"):
        Batches(numbered(3), 2, seed=0, repeats=2)
    with pytest.raises(ZooError, match="0 examples"):
        Batches(numbered(0), 2, seed=0)
    with pytest.raises(ZooError, match="at least 1"):
        Batches(numbered(3), 0, seed=0)
    with pytest.raises(ZooError, match="uint8"):
        Batches(Split(np.zeros((3, 2), np.float32)), 2, seed=0, binarize=True)


# Under Keras, on the backend of this process.


class Recorded(Batches):
    """Remembers which batches of which epochs were asked for."""

    def __getitem__(self, index):
        self.asked = getattr(self, "asked", set()) | {(self.epoch, index)}
        return super().__getitem__(index)


def classifier() -> keras.Model:
    model = keras.Sequential(
        [keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss=loss)
    return model


@pytest.mark.parametrize("built", [True, False])
def test_fit_passes_through_the_epochs(built):
    batches = Recorded(numbered(50), 8, seed=0, shuffle=True, binarize=True)
    model = classifier()
    if built:
        model.build((None, 1, 1, 1))
    history = model.fit(batches, epochs=3, shuffle=False, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert batches.epoch == 3
    assert batches.asked == {(epoch, index) for epoch in range(3) for index in range(7)}


def test_fit_goes_on_at_another_epoch():
    batches = Recorded(numbered(50), 8, seed=0, shuffle=True)
    batches.epoch = 5
    model = classifier()
    model.build((None, 1, 1, 1))
    validation = Batches(numbered(10), 4, seed=0)
    model.fit(
        batches, validation_data=validation, initial_epoch=5, epochs=7, shuffle=False, verbose=0
    )
    assert {epoch for epoch, _ in batches.asked} == {5, 6}


def test_evaluation_weighs_a_ragged_end_right():
    model = classifier()
    model.build((None, 1, 1, 1))
    model.layers[-1].set_weights([np.float32([[1, -2, 3]]), np.float32([0, 1, 0])])
    ragged = model.evaluate(Batches(numbered(50), 8, seed=0), verbose=0)
    whole = model.evaluate(Batches(numbered(50), 50, seed=0), verbose=0)
    assert ragged == pytest.approx(whole, rel=1e-5)


def test_same_numbers_on_every_backend():
    model = classifier()
    model.build((None, 1, 1, 1))
    model.layers[-1].set_weights([np.float32([[1, -2, 3]]), np.float32([0, 1, 0])])
    batches = Batches(numbered(50), 8, seed=0, shuffle=True, binarize=True)
    history = model.fit(batches, epochs=2, shuffle=False, verbose=0)
    assert history.history["loss"] == pytest.approx([1.3897628, 1.3936659], rel=1e-5)


# Data on disk.


class Counted(Lazy):
    """Rows of an array that remembers how many were read at a time."""

    def __init__(self, x):
        self.x, self.shape, self.dtype, self.reads = x, x.shape, x.dtype, []

    def read(self, rows):
        self.reads.append(len(rows))
        return self.x[rows]


@pytest.fixture(params=["lazy", "mapped"])
def elsewhere(request, tmp_path):
    """``elsewhere(x)`` is the same array, not in memory."""

    def put(x):
        if request.param == "lazy":
            return Counted(x)
        np.save(tmp_path / "x.npy", x)
        return np.load(tmp_path / "x.npy", mmap_mode="r")

    return put


@pytest.mark.parametrize("options", [{}, {"shuffle": True, "binarize": True}])
def test_batches_of_data_on_disk_are_the_same(elsewhere, options):
    x = np.random.default_rng(0).integers(0, 256, (50, 3, 3, 1), np.uint8)
    there = Split(elsewhere(x), np.arange(50))
    for (one, label), (other, same) in zip(
        Batches(Split(x, np.arange(50)), 8, seed=3, **options),
        Batches(there, 8, seed=3, **options),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(label, same)
        assert type(other) is np.ndarray and other.flags.writeable
    if isinstance(there.x, Counted):
        assert max(there.x.reads) == 8


@pytest.mark.parametrize("shape", [(2100, 7, 7, 1), (50, 3), (2100, 1, 1, 1)])
def test_binarized_once_on_disk_is_the_same(elsewhere, shape):
    x = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    drawn, there = binarize_once(x, 1, "test"), binarize_once(elsewhere(x), 1, "test")
    assert isinstance(there, Lazy) and there.shape == shape
    np.testing.assert_array_equal(np.asarray(there), drawn)
    np.testing.assert_array_equal(there[7:30], drawn[7:30])
    rows = [len(x) - 1, 3, 4, 17, 3]
    np.testing.assert_array_equal(there[rows], drawn[rows])
    np.testing.assert_array_equal(there[5], drawn[5])
    assert there[:0].shape == (0, *shape[1:])


def test_only_bytes_are_binarized_once():
    with pytest.raises(ZooError, match="only uint8 pictures can be binarized, not float32"):
        binarize_once(np.zeros((3, 2), np.float32), 0, "test")


def test_fingerprint_of_data_on_disk_is_the_same(elsewhere, monkeypatch):
    monkeypatch.setattr(lazy, "BLOCK_BYTES", 100)
    x = np.random.default_rng(0).integers(0, 256, (50, 3, 3, 1), np.uint8)
    assert sha256(elsewhere(x)) == sha256(x)
    assert sha256(elsewhere(x), None) == sha256(x, None)


def test_fit_on_data_on_disk(elsewhere):
    x = numbered(50)
    batches = Recorded(Split(elsewhere(x.x), x.y), 8, seed=0, shuffle=True)
    model = classifier()
    model.build((None, 1, 1, 1))
    model.fit(batches, epochs=2, shuffle=False, verbose=0)
    assert batches.asked == {(epoch, index) for epoch in range(2) for index in range(7)}


# Augmentation.


def noise(n=16, channels=1):
    x = np.random.default_rng(0).integers(0, 256, (n, 8, 8, channels), np.uint8)
    return Split(x, np.arange(n, dtype=np.int32))


def augmented(*layers, seed=0, split=None, **options):
    return Batches(split or noise(), 8, seed=seed, augment=layers, **options)


def test_augmentation_depends_on_seed_epoch_and_index_alone():
    flip = keras.layers.RandomFlip("horizontal")
    same = Split(np.repeat(noise(1).x, 64, axis=0))
    batches = Batches(same, 32, seed=1, augment=[flip])
    first, second = batches[0][0], batches[1][0]
    assert first.dtype == np.uint8
    flipped = (first == same.x[0, :, ::-1]).all((1, 2, 3))
    kept = (first == same.x[0]).all((1, 2, 3))
    assert (flipped | kept).all() and flipped.any() and kept.any()
    assert (second != first).any()
    np.testing.assert_array_equal(batches[0][0], first)
    batches.epoch = 1
    assert (batches[0][0] != first).any()
    again = Batches(same, 32, seed=1, augment=[keras.layers.RandomFlip("horizontal", seed=5)])
    np.testing.assert_array_equal(again[0][0], first)
    assert (Batches(same, 32, seed=2, augment=[flip])[0][0] != first).any()


def test_augmentation_leaves_data_and_labels_alone():
    split = noise()
    before = split.x.copy()
    for x, y in augmented(keras.layers.RandomRotation(0.2), split=split, shuffle=True):
        assert x.shape == (8, 8, 8, 1) and x.dtype == np.uint8
        assert (x != before[y]).any()
    np.testing.assert_array_equal(split.x, before)


def test_augmented_values_are_rounded_and_kept_in_range():
    class Bright(keras.layers.Layer):
        def call(self, x):
            return x * 1.5 + 0.4

    x = augmented(Bright())[0][0]
    np.testing.assert_array_equal(x, np.minimum(np.rint(noise().x[:8] * 1.5 + 0.4), 255))


def test_augmentation_of_vectors_keeps_float32():
    split = Split(np.float32([[1, 2], [3, 4]]))
    (x,) = Batches(split, 2, seed=0, augment=[keras.layers.GaussianNoise(0.1)])[0]
    assert x.dtype == np.float32 and 0 < np.abs(x - split.x).max() < 1


def test_augmentation_comes_before_binarization():
    batches = augmented(keras.layers.RandomRotation(0.2), binarize=True)
    assert set(np.unique(batches[0][0])) == {0, 255}


def test_layers_within_layers_and_those_of_python_random():
    layers = [
        keras.Sequential([keras.layers.RandomFlip(), keras.layers.RandomRotation(0.1)]),
        keras.layers.RandAugment(),
    ]
    split = noise(channels=3)
    first = augmented(*layers, split=split)[0][0]
    state = random.getstate()
    np.testing.assert_array_equal(augmented(*layers, split=split)[0][0], first)
    assert random.getstate() == state


def test_augmentation_that_cannot_be():
    with pytest.raises(ZooError, match=r"RandomCrop made \(8, 4, 4, 1\) of a batch \(8, 8, 8, 1\)"):
        augmented(keras.layers.RandomCrop(4, 4))[0]

    class NeedsLabels(keras.layers.Layer):
        def call(self, x):
            raise ValueError("where are\nthe labels?")

    with pytest.raises(ZooError, match=r"augment: NeedsLabels failed on .*where are the labels"):
        augmented(NeedsLabels())[0]


def test_fit_sees_what_the_loop_sees():
    seen = {}

    class Watched(Batches):
        def __getitem__(self, index):
            item = super().__getitem__(index)
            seen[self.epoch, index] = item[0]
            return item

    split = noise(16)
    batches = Watched(split, 8, seed=0, augment=[keras.layers.RandomTranslation(0.2, 0.2)])
    model = keras.Sequential([keras.layers.Rescaling(1 / 255), keras.layers.Flatten()])
    model.add(keras.layers.Dense(16))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss=loss)
    model.build((None, 8, 8, 1))
    model.fit(batches, epochs=2, shuffle=False, verbose=0)
    under_fit = dict(seen)
    for epoch, index in [(0, 0), (0, 1), (1, 0), (1, 1)]:
        batches.epoch = epoch
        np.testing.assert_array_equal(batches[index][0], under_fit[epoch, index])


def test_layers_of_keras_cv():
    keras_cv = pytest.importorskip("keras_cv", reason="keras-cv, the extra cv, is not installed")
    layers = [
        keras_cv.layers.GridMask(),
        keras_cv.layers.RandomCutout(0.3, 0.3),
        keras_cv.layers.RandomHue(0.2, (0, 255)),
    ]
    split = noise(channels=3)
    first = augmented(*layers, split=split)[0][0]
    assert first.dtype == np.uint8 and (first != split.x[:8]).any()
    np.testing.assert_array_equal(augmented(*layers, split=split)[0][0], first)
    assert (augmented(*layers, split=split)[1][0] != first).any()


def augmented_recipe(**dataset):
    return zoo.Recipe(
        model=zoo.model("vae", latent_dim=2, units=(8,)),
        dataset=zoo.datasets.Digits(batch_size=64, **dataset),
        optimizers={"autoencoder": "adam"},
        epochs=1,
        augment=[keras.layers.RandomTranslation(0.2, 0.2)],
    )


def test_recipe_augments_training_alone():
    from zoo.runs.describe import describe
    from zoo.training.experiment import prepare

    recipe = override(augmented_recipe(), ["augment.RandomTranslation.height_factor=0.3"])
    experiment = prepare(recipe)
    plain = Batches(experiment.data.train, 64, seed=0, shuffle=True)
    assert (experiment.batches[0][0] != plain[0][0]).any()
    np.testing.assert_array_equal(experiment.batches[0][1], plain[0][1])
    np.testing.assert_array_equal(experiment.validation.x, experiment.data.validation.x)
    (told,) = json.loads(json.dumps(describe(experiment)))["augment"]
    assert (told["class"], told["height_factor"]) == ("RandomTranslation", 0.3)


def test_recipe_refuses_to_augment_what_is_drawn_once():
    with pytest.raises(ZooError, match="binarize='dynamic', which draws what is augmented"):
        augmented_recipe(binarize="fixed")
    with pytest.raises(ZooError, match=r"recipe.augment\[0\] takes Layer, not the class"):
        dataclasses.replace(augmented_recipe(), augment=[keras.layers.RandomFlip])
