"""Differentiable augmentation: what each change does to a picture, and to its gradient."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
import pytest
from keras import ops

import zoo
from zoo.errors import ZooError
from zoo.nn.layers.diff_augment import differentiable
from zoo.random import Generator

SHAPE = (16, 24, 3)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def pictures(n=100, shape=SHAPE):
    return np.random.default_rng(0).uniform(0.5, 1.0, (n, *shape)).astype("float32")


def augmented(x, *policy, seed=0):
    return numpy(differentiable(ops.convert_to_tensor(x), Generator(seed, "test"), policy))


def moved(picture, down, right):
    """The picture moved by whole pixels, zeros moved in."""
    height, width, _ = picture.shape
    out = np.zeros_like(picture)
    rows = slice(max(down, 0), height + min(down, 0))
    columns = slice(max(right, 0), width + min(right, 0))
    out[rows, columns] = picture[
        max(-down, 0) : height - max(down, 0), max(-right, 0) : width - max(right, 0)
    ]
    return out


def length(x):
    return np.sqrt((x.reshape(len(x), -1).astype("float64") ** 2).sum(axis=1))


def test_translation_moves_by_up_to_an_eighth():
    x = pictures()
    places = []
    for before, after in zip(x, augmented(x, "translation"), strict=True):
        [place] = [
            (down, right)
            for down in range(-2, 3)
            for right in range(-3, 4)
            if (moved(before, down, right) == after).all()
        ]
        places.append(place)
    assert {down for down, _ in places} == set(range(-2, 3))
    assert {right for _, right in places} == set(range(-3, 4))


def test_cutout_removes_a_rectangle_of_half_the_sides():
    x = pictures(300)
    y = augmented(x, "cutout")
    whole = []
    for before, after in zip(x, y, strict=True):
        hole = (after == 0).all(axis=2)
        assert (after[~hole] == before[~hole]).all()
        rows, columns = hole.any(axis=1), hole.any(axis=0)
        assert (hole == np.outer(rows, columns)).all()
        for side in (rows, columns):  # in one piece, a quarter or more of it in the picture
            assert np.abs(np.diff(side.astype(int))).sum() <= 2
            assert len(side) // 4 <= side.sum() <= len(side) // 2
        whole.append(hole.sum())
    assert max(whole) == 8 * 12


def test_color_keeps_to_its_ranges():
    x = pictures(300) * np.array([0.2, 0.5, 1.0], "float32")
    y = augmented(x, "color")
    means = [a.mean(axis=(1, 2, 3)) for a in (x, y)]
    brightness = means[1] - means[0]  # the other two changes keep the mean
    assert -0.5 < brightness.min() < -0.45 and 0.45 < brightness.max() < 0.5
    grey = [a.mean(axis=3) - m[:, None, None] for a, m in zip((x, y), means, strict=True)]
    contrast = [length(g) for g in grey]
    contrast = contrast[1] / contrast[0]
    assert 0.5 < contrast.min() < 0.55 and 1.45 < contrast.max() < 1.5
    tint = [length(a - a.mean(axis=3, keepdims=True)) for a in (x, y)]
    saturation = tint[1] / tint[0] / contrast
    assert 0.0 < saturation.min() < 0.1 and 1.9 < saturation.max() < 2.0


def test_grey_pictures_have_no_saturation_to_change():
    x = pictures(4, (8, 8, 1))
    y = augmented(x, "color")
    centred = [a - a.mean(axis=(1, 2, 3), keepdims=True) for a in (x, y)]
    ratio = centred[1] / centred[0]
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:, :1, :1], x.shape), rtol=1e-3)


def test_each_picture_has_draws_of_its_own_by_its_place():
    x = np.repeat(pictures(1), 5, axis=0)
    y = augmented(x, "translation", "cutout", "color")
    assert len({picture.tobytes() for picture in y}) == 5
    np.testing.assert_allclose(augmented(x[:3], "translation", "cutout", "color"), y[:3], atol=1e-6)
    assert (augmented(x, "color", seed=1) != augmented(x, "color")).any()


def test_a_gradient_goes_back_to_where_its_pixels_came_from():
    x = ops.convert_to_tensor(pictures(5))
    weights = ops.convert_to_tensor(np.random.default_rng(1).random((5, *SHAPE), "float32"))

    def total(v, w=weights):
        y = differentiable(v, Generator(0, "test"))
        return ops.sum(y * w, axis=(1, 2, 3))

    slope = zoo.gradient(total, x)
    # what is linear in x is its slope times x
    np.testing.assert_allclose(
        numpy(ops.sum(slope * x, axis=(1, 2, 3))), numpy(total(x)), rtol=1e-4
    )
    ones = numpy(zoo.gradient(lambda v: total(v, 1.0), x))
    assert set(np.unique(ones)) == {0.0, 1.0}


@dataclass(frozen=True)
class Augmented(zoo.Model):
    """A network that learns to give back augmented pictures' sums."""

    def networks(self, data):
        layers = [keras.Input(data.shape), keras.layers.Flatten(), keras.layers.Dense(1)]
        return {"net": keras.Sequential(layers)}

    def players(self):
        return {"net": ("net",)}

    def moves(self):
        return [self.loss]

    def loss(self, nets, batch, rng):
        policy = ("color", "translation", "cutout")
        x = differentiable(batch.x, rng, policy)
        assert tuple(x.shape[1:]) == (8, 8, 3)
        return {"net": {"error": ops.square(nets.net(x)[:, 0])}}


def test_it_compiles_in_a_training_step():
    model = zoo.build(Augmented(), zoo.DataSpec((8, 8, 3)))
    model.compile({"net": keras.optimizers.SGD(1e-3)})
    x = pictures(5, (8, 8, 3))
    history = model.fit(x, batch_size=2, epochs=2, verbose=0).history  # a ragged last batch
    assert np.isfinite(history["loss"]).all()


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(ZooError, match=r"'colour'; did you mean 'color'\? Accepted: color, cutout"):
        augmented(pictures(1), "colour")
