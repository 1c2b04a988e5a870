"""Batches: what each depends on, and that ``fit`` sees each row once an epoch."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from zoo.datasets import Batches, Split
from zoo.datasets.pipeline import binarize_once
from zoo.errors import ZooError


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
