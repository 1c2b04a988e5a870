"""Abilities of conditional models, and of models with a fitted sampler."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
import pytest
from keras import ops

import zoo
from zoo.engine import checks, inference
from zoo.errors import ZooError
from zoo.nn import layers, networks
from zoo.nn.samplers import Sampler
from zoo.testing.checks.standin import Small
from zoo.training import experiment

DATA = zoo.DataSpec((2,), classes=3)


@dataclass(frozen=True)
class Labelled(zoo.Model):
    """An autoencoder whose decoder is shown the label."""

    conditional: bool = True

    value_range = None

    def networks(self, data):
        classes = data.classes if self.conditional else 0
        return {
            "encoder": networks.encoder(shape=data.shape, outputs=2, num_classes=classes),
            "decoder": networks.decoder(shape=(2,), outputs=data.shape, num_classes=classes),
        }

    def players(self):
        return {"autoencoder": ("encoder", "decoder")}

    def moves(self):
        return [self.error]

    def error(self, nets, batch, rng):
        again = self.reconstruct(nets, batch.x, batch.labels)
        return {"autoencoder": {"error": ops.sum(ops.square(again - batch.x), axis=1)}}

    def sample(self, nets, n, rng, labels=None):
        return self.decode(nets, rng.normal((n, 2)), labels)

    def encode(self, nets, x, labels=None):
        return nets.encoder(x, labels=labels)

    def decode(self, nets, z, labels=None):
        return nets.decoder(z, labels=labels)

    def reconstruct(self, nets, x, labels=None):
        return self.decode(nets, self.encode(nets, x, labels), labels)


@pytest.fixture(scope="module")
def model():
    return zoo.build(Labelled(), DATA)


X = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [0.7, 0.8]], "float32")


def test_a_conditional_model_samples_its_classes_in_turn(model):
    expected = model.sample(5, seed=1, labels=[0, 1, 2, 0, 1])
    np.testing.assert_allclose(model.sample(5, seed=1), expected, rtol=1e-6)
    assert np.abs(model.sample(5, seed=1, labels=[1] * 5) - expected).max() > 1e-3


@pytest.mark.parametrize("ability", ["encode", "decode", "reconstruct"])
def test_other_abilities_want_labels(model, ability):
    with pytest.raises(ZooError, match=f"Labelled is conditional: to {ability}, give labels"):
        getattr(model, ability)(X)
    zero, one = (getattr(model, ability)(X, labels=[label] * 4) for label in (0, 1))
    assert np.abs(zero - one).max() > 1e-3


def test_labels_that_do_not_exist_or_do_not_fit_are_named(model):
    with pytest.raises(ZooError, match="row 1 has the label 7; labels are integers from 0 to 2"):
        model.sample(2, labels=[0, 7])
    with pytest.raises(ZooError, match=r"2 examples need labels \(2,\), not \(1,\)"):
        model.sample(2, labels=[0])


def test_networks_that_take_no_labels_are_given_none():
    plain = zoo.build(Labelled(conditional=False), DATA)
    np.testing.assert_array_equal(plain.encode(X), plain.encode(X, labels=[0, 1, 2, 0]))


def test_a_conditional_model_trains(model):
    trained = zoo.build(Labelled(), DATA)
    trained.compile(optimizers={"autoencoder": keras.optimizers.SGD(0.1)})
    labels = np.array([0, 1, 2, 0], "int32")
    first, *_, last = trained.fit(X, labels, epochs=20, verbose=0).history["loss"]
    assert last < first


def test_a_conditional_model_needs_data_with_labels():
    with pytest.raises(ZooError, match="conditional"):
        zoo.build(Labelled(), zoo.DataSpec((2,)))


def test_a_fitted_sampler_takes_the_place_of_the_prior():
    model = zoo.build(Labelled(conditional=False), DATA)
    model.sampler = Sampler([1.0], [[3.0, 4.0]], [np.zeros((2, 2))])
    expected = model.decode(np.array([[3.0, 4.0]] * 4))
    np.testing.assert_allclose(model.sample(4), expected, rtol=1e-6)


# --- what stands between the plugin's methods and NumPy


class Plain(zoo.Model):
    """Pictures in [-1, 1] of one network, whose dropout would show."""

    value_range = (-1.0, 1.0)

    def networks(self, data):
        dense = keras.layers.Dense(1, kernel_initializer="ones")
        return {"net": keras.Sequential([keras.Input(data.shape), layers.Dropout(0.5), dense])}

    def players(self):
        return {"painter": ("net",)}

    def moves(self):
        return [self.paint]

    def paint(self, nets, batch, rng):
        return {"painter": {"error": ops.mean(nets.net(batch.x), axis=(1, 2, 3))}}

    def reconstruct(self, nets, x, labels=None):
        return nets.net(x)

    def encode(self, nets, x, labels=None):
        code = [ops.mean(x, axis=(1, 2, 3)), ops.cast(labels, "float32")]
        return ops.stack(code, axis=1)

    def sample(self, nets, n, rng, labels=None):
        return rng.uniform((n, 2, 2, 1), -1.0, 1.0)


def test_labels_that_a_loss_misses_are_asked_for():
    """It is not declared conditional, and its loss needs labels all the same."""

    @dataclass(frozen=True)
    class Undeclared(Labelled):
        conditional: bool = False

        def networks(self, data):
            return Labelled().networks(data)

    model = zoo.build(Undeclared(), DATA)
    model.compile(optimizers={"autoencoder": "sgd"})
    model.fit(X, np.zeros(4, "int32"), verbose=0)
    with pytest.raises(ZooError, match=r"Undeclared.fit was given no labels, .* with 3 classes"):
        model.fit(X, verbose=0)


# --- tried before training


BROKEN = {
    "latent": (lambda self, nets: ops.zeros((3, 2)), "gave a tensor; it gives a distribution"),
    "sample": (lambda self, nets, n, rng: nets.decode(rng.normal((n, 2))), "no network 'decode'; "),
    "reconstruct": (lambda self, nets, x: nets.encoder(x)[:, :1], r"gave shape \(3, 1\); for 3 "),
    "encode": (lambda self, nets, x: [nets.encoder(x)] * 2, r"gave list; for 3 .*latent_dim\)"),
    "decode": (lambda self, nets, z: nets.decoder(z[:, :1]), "raised ValueError"),
    "log_likelihood": (lambda self, nets, x, rng, samples: x, r"gave shape \(3, 2\); for 3"),
    "classify": (lambda self, nets, x: x, r"gave shape \(3, 2\); for 3 .* a tensor \(3, 4\)"),
}


@pytest.mark.parametrize("ability", BROKEN)
def test_abilities_are_tried_before_training(ability):
    method, said = BROKEN[ability]
    model = zoo.build(type("Broken", (Small,), {ability: method})(), zoo.DataSpec((2,), 4))
    with pytest.raises(ZooError, match=f"Broken.{ability} {said}|Broken.*: there is {said}"):
        checks.check_abilities(model)


def test_a_run_begins_with_that_trial():
    broken = type("Broken", (Small,), {"sample": BROKEN["sample"][0]})()
    points = zoo.datasets.Moons(n=16, held_out=4)
    sgd = {player: "sgd" for player in broken.players()}
    with pytest.raises(ZooError, match="there is no network 'decode'"):
        experiment.prepare(zoo.Recipe(broken, points, sgd, epochs=1))


@pytest.fixture(scope="module")
def plain():
    return zoo.build(Plain(), zoo.DataSpec((2, 2, 1), classes=3))


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_pictures_are_in_the_models_range_within_and_in_0_to_1_outside(plain, dtype):
    grey = np.full((3, 2, 2, 1), 51, "uint8")
    x = grey if dtype == "uint8" else grey / np.float32(255)
    codes = plain.encode(x, labels=[0, 1, 2])
    np.testing.assert_allclose(codes, [[-0.6, 0], [-0.6, 1], [-0.6, 2]], rtol=1e-6)
    # as they were, to the last pixel: without dropout, since this is no training
    np.testing.assert_allclose(plain.reconstruct(x), np.full((3, 2, 2, 1), 0.2), rtol=1e-5)


def test_importance_samples_of_all_examples_at_once_are_bounded(monkeypatch):
    rows = []

    def bound(self, nets, x, rng, samples):
        rows.append(x.shape[0])
        return ops.sum(x, axis=1)

    monkeypatch.setattr(inference, "_DRAWS", 8)
    model = zoo.build(type("Bound", (Small,), {"log_likelihood": bound})(), zoo.DataSpec((2,), 4))
    x = np.arange(10, dtype="float32").reshape(5, 2)
    for samples, most in ((1, 5), (4, 2), (9, 1)):
        rows.clear()
        found = model.log_likelihood(x, samples=samples)
        np.testing.assert_allclose(found, x.sum(axis=1))
        assert set(rows) == {most}


def test_fewer_large_examples_are_worked_on_at_once(monkeypatch):
    rows = []

    def decode(self, nets, z):
        rows.append(z.shape[0])
        return z

    monkeypatch.setattr(inference, "_VALUES", 6)
    model = zoo.build(type("Large", (Small,), {"decode": decode})(), zoo.DataSpec((2,), 4))
    z = np.arange(10, dtype="float32").reshape(5, 2)
    np.testing.assert_array_equal(model.decode(z), z)
    assert set(rows) == {3}


def test_chunks_have_labels_and_noise_of_their_own(plain, monkeypatch):
    x, labels = np.zeros((7, 2, 2, 1), "uint8"), np.array([0, 1, 2, 2, 1, 0, 1])
    codes, samples = plain.encode(x, labels=labels), plain.sample(7, seed=1)
    monkeypatch.setattr(inference, "CHUNK", 3)
    np.testing.assert_array_equal(plain.encode(x, labels=labels)[:, 1], labels)
    np.testing.assert_allclose(plain.encode(x, labels=labels), codes, rtol=1e-6)
    np.testing.assert_allclose(plain.sample(7, seed=1), samples, rtol=1e-6)
    assert len(np.unique(samples.round(4))) == samples.size
