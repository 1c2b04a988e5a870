"""The U-Net: what goes in and comes out, and how it is told the time and the label."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

import zoo
from zoo.errors import ZooError
from zoo.nn.networks.unet import sinusoids, unet

SMALL = {"filters": (4, 8), "units": 8}


def pictures(*shape):
    return np.random.RandomState(0).normal(size=shape).astype("float32")


def made(network, *inputs):
    return ops.convert_to_numpy(network([ops.convert_to_tensor(x) for x in inputs]))


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (8, 12, 2)])
def test_what_comes_out_is_as_large_as_what_goes_in(shape):
    x, t = pictures(2, *shape), np.float32([0.0, 1.0])
    assert made(unet(shape=shape, **SMALL), x, t).shape == (2, *shape)
    wide = unet(shape=shape, outputs=4, blocks=2, hidden=8, **SMALL)
    assert made(wide, x, t).shape == (2, *shape[:2], 4)


def test_an_example_depends_on_its_own_time_alone():
    network = unet(shape=(8, 8, 1), hidden=8, **SMALL)
    x = np.repeat(pictures(1, 8, 8, 1), 2, axis=0)
    first, other = made(network, x, np.float32([0.2, 0.7]))
    np.testing.assert_allclose(made(network, x[:1], np.float32([0.2]))[0], first, atol=1e-6)
    assert np.abs(first - other).max() > 1e-4


def test_labels_are_its_last_input_and_one_more_of_them_stands_for_none():
    network = unet(shape=(8, 8, 1), num_classes=3, **SMALL)
    assert [tensor.name for tensor in network.inputs] == ["x", "t", "labels"]
    assert len(unet(shape=(8, 8, 1), **SMALL).inputs) == 2
    x = np.repeat(pictures(1, 8, 8, 1), 4, axis=0)
    found = made(network, x, np.full(4, 0.5, "float32"), np.arange(4, dtype="int32"))
    for i in range(4):
        for j in range(i):
            assert np.abs(found[i] - found[j]).max() > 1e-5


def test_a_loss_hands_it_labels_by_name():
    class Asks(zoo.Model):
        def networks(self, data):
            return {"unet": unet(shape=data.shape, num_classes=data.classes, **SMALL)}

        def players(self):
            return {"flow": ("unet",)}

        def moves(self):
            return [self.match]

        def match(self, nets, batch, rng):
            t = rng.uniform((ops.shape(batch.x)[0],))
            square = ops.square(nets.unet([batch.x, t], labels=batch.labels))
            return {"flow": {"square": ops.mean(square)}}

        def sample(self, nets, n, rng, labels=None):
            x, t = rng.normal((n, *nets.data.shape)), ops.zeros((n,))
            return nets.unet([x, t], labels=labels)

        conditional = True

    model = zoo.build(Asks(), zoo.DataSpec((8, 8, 1), 3))
    first, other = (model.sample(1, labels=[label]) for label in (0, 2))
    assert np.abs(first - other).max() > 1e-5


def test_sinusoids_by_hand():
    found = ops.convert_to_numpy(sinusoids(ops.convert_to_tensor(np.float32([0, 0.5])), 6))
    angles = np.array([0.5, 5.0, 50.0])  # the rates are 1, 10 and 100
    np.testing.assert_allclose(found[0], [0, 0, 0, 1, 1, 1], atol=1e-7)
    np.testing.assert_allclose(found[1], [*np.sin(angles), *np.cos(angles)], atol=1e-5)


def test_it_is_saved_whole(tmp_path):
    network = unet(shape=(8, 8, 1), num_classes=3, hidden=8, **SMALL)
    network.save(tmp_path / "unet.keras")
    again = keras.saving.load_model(tmp_path / "unet.keras")
    inputs = pictures(2, 8, 8, 1), np.float32([0.1, 0.9]), np.int32([0, 3])
    np.testing.assert_allclose(made(again, *inputs), made(network, *inputs), atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shape": (2,)}, "convolutions need pictures"),
        ({"shape": (7, 8, 1)}, "cannot be halved: layers of stride 2 need even"),
        ({"shape": (8, 8, 1), "filters": (2, 2, 2, 2)}, "can be halved 3 times"),
        ({"shape": (8, 8, 1), "units": 7}, "units is an even number from 2, not 7"),
    ],
)
def test_what_it_cannot_be_made_for_is_refused(settings, message):
    with pytest.raises(ZooError, match=message):
        unet(**settings)
