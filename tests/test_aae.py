"""Adversarial autoencoder: its three moves, its priors and its labels, worked by hand."""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest
from keras import layers, ops

import zoo
from tests.models import number, weight, weights
from zoo.engine.nets import Nets
from zoo.errors import ZooError
from zoo.nn.distributions import StandardNormal
from zoo.plugin.serialization import settings_of
from zoo.random import Generator
from zoo_aae import Petals, SwissRoll

ENCODE, DECODE, JUDGE = 0.5, 3.0, 0.25  # the weights of the networks below
LINEAR = {
    "encoder": lambda data, model: number(ENCODE)(),
    "decoder": lambda data, model: number(DECODE)(),
    "discriminator": lambda data, model: number(JUDGE)(),
}


def linear(rates=(0.0, 0.0, 0.0), networks=LINEAR, **settings):
    """The AAE of one weight a network, on numbers; rates of the three players."""
    plugin = zoo.model("aae", prior=StandardNormal(1), **settings)
    model = zoo.build(plugin, zoo.DataSpec((1,)), networks=networks)
    players = ("autoencoder", "discriminator", "generator")
    model.compile(
        optimizers={
            player: keras.optimizers.SGD(rate) for player, rate in zip(players, rates, strict=True)
        }
    )
    return model


def terms(model, loss, x):
    nets = Nets(model.networks, False, "test", model.data)
    found = loss(nets, zoo.Batch(ops.convert_to_tensor(x)), Generator(0, "test"))
    return {
        f"{player}/{name}": ops.convert_to_numpy(value)
        for player, own in found.items()
        for name, value in own.items()
    }


def softplus(x):
    return np.log1p(np.exp(x))


def test_every_term_by_hand():
    model = linear()
    x = np.array([[1.0], [-2.0]], "float32")
    code = ENCODE * x[:, 0]
    found = terms(model, model.plugin.autoencode, x)
    squares = {"autoencoder/reconstruction": (x[:, 0] - DECODE * code) ** 2}
    np.testing.assert_equal(set(found), set(squares))
    for name, value in squares.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-6)

    rng = Generator(0, "test")
    drawn = ops.convert_to_numpy(rng.normal((2, 1)))[:, 0]
    found = terms(model, model.plugin.discriminate, x)
    np.testing.assert_allclose(found["discriminator/real"], softplus(-JUDGE * drawn), rtol=1e-5)
    np.testing.assert_allclose(found["discriminator/fake"], softplus(JUDGE * code), rtol=1e-5)

    found = terms(model, model.plugin.mislead, x)
    np.testing.assert_allclose(found["generator/adversarial"], softplus(-JUDGE * code), rtol=1e-5)


def test_another_adversarial_loss():
    model = linear(adversarial="least_squares")
    found = terms(model, model.plugin.mislead, np.array([[2.0]], "float32"))
    assert found["generator/adversarial"] == pytest.approx([0.5 * (JUDGE * ENCODE * 2 - 1) ** 2])


def test_the_encoder_moves_twice_a_step_the_second_time_by_the_adversary():
    """On x = 1, worked by hand."""
    model = linear(rates=(0.1, 0.0, 0.1))
    model.train_on_batch(np.array([[1.0]], "float32"))
    error = 1 - DECODE * ENCODE
    encode = ENCODE - 0.1 * -2 * error * DECODE  # the gradient of error^2
    decode = DECODE - 0.1 * -2 * error * ENCODE
    encode -= 0.1 * -JUDGE / (1 + math.exp(JUDGE * encode))  # of softplus(-JUDGE encode)
    found = weight(model, "encoder"), weight(model, "decoder"), weight(model, "discriminator")
    assert found == pytest.approx((encode, decode, JUDGE), rel=1e-5)


def test_batch_norm_of_the_encoder_moves_once_a_step():
    def normalizing(data, model):
        return keras.Sequential([keras.Input((1,)), layers.BatchNormalization(momentum=0.9)])

    model = linear(networks={**LINEAR, "encoder": normalizing})
    model.train_on_batch(np.array([[4.0], [6.0]], "float32"))
    mean, variance = (v.item() for v in weights(model, "encoder")[2:])
    assert mean == pytest.approx(0.1 * 5)
    assert variance == pytest.approx(0.9 + 0.1 * 1)


# --- priors


def identity(data, model):
    """A decoder that shows its codes."""
    return keras.Sequential([keras.Input((2,)), layers.Identity()])


def draws(prior, n=3000, labels=None, classes=10, **settings):
    plugin = zoo.model("aae", prior=prior, units=(4,), **settings)
    data = zoo.DataSpec((2,), classes=classes)
    model = zoo.build(plugin, data, networks={"decoder": identity})
    return model.sample(n, labels=labels)


def test_the_normal_prior():
    z = draws(StandardNormal(2))
    np.testing.assert_allclose(z.mean(axis=0), [0, 0], atol=0.1)
    np.testing.assert_allclose(np.cov(z.T), np.eye(2), atol=0.1)


def test_the_mixture_has_a_petal_for_each_component():
    z = draws(Petals(4))
    angle = np.arctan2(z[:, 1], z[:, 0]) / (math.pi / 2)
    petal = np.round(angle).astype(int) % 4
    assert (np.bincount(petal, minlength=4) > 600).all()
    first = z[petal == 0]
    np.testing.assert_allclose(first.mean(axis=0), [2, 0], atol=0.1)
    np.testing.assert_allclose(first.std(axis=0), [0.5, 0.1], rtol=0.1)


def test_the_swiss_roll_is_a_spiral():
    z = draws(SwissRoll())
    radius = np.hypot(z[:, 0], z[:, 1])
    assert 2.9 < radius.max() < 3.3
    # the angle that belongs to a radius, 3 pi times radius / 3
    unrolled = z[:, 0] + 1j * z[:, 1]
    turned = np.angle(unrolled * np.exp(-1j * math.pi * radius))[radius > 1]
    assert np.abs(turned).max() < 1.0 and turned.std() < 0.2


@pytest.mark.parametrize("prior", [Petals(3), SwissRoll(3)], ids=repr)
def test_labels_choose_the_component_of_a_labelled_prior(prior):
    z = draws(prior, 600, np.arange(600) % 3, classes=3, labelled=True)
    if isinstance(prior, Petals):
        angle = np.angle(z[:, 0] + 1j * z[:, 1])
        place = np.round(angle / (2 * math.pi / 3)).astype(int) % 3
    else:  # thirds of the roll, equal in area
        place = np.floor(3 * np.minimum(np.hypot(z[:, 0], z[:, 1]) / 3, 0.999) ** 2).astype(int)
    assert (place == np.arange(600) % 3).mean() > 0.9


def test_a_labelled_prior_without_labels_gives_all_components():
    z = draws(Petals(3), 600, classes=3, labelled=True)
    place = np.round(np.angle(z[:, 0] + 1j * z[:, 1]) / (2 * math.pi / 3)).astype(int) % 3
    assert (np.bincount(place, minlength=3) > 150).all()


# --- labels


def small(**settings):
    plugin = zoo.model("aae", units=(8,), **settings)
    model = zoo.build(plugin, zoo.DataSpec((4, 4, 1), classes=3))
    model.compile(optimizers=dict.fromkeys(model.players, "adam"))
    return model


def test_the_supervised_decoder_is_shown_the_label_and_the_encoder_is_not():
    model = small(prior=StandardNormal(3), conditional=True)
    x = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 1), "uint8")
    z = np.ones((1, 3), "float32")
    assert np.abs(model.decode(z, labels=[0]) - model.decode(z, labels=[1])).max() > 1e-4
    np.testing.assert_array_equal(model.encode(x, labels=[0, 1]), model.encode(x, labels=[2, 2]))
    with pytest.raises(ZooError, match="conditional"):
        model.reconstruct(x)


def test_the_discriminator_of_a_labelled_prior_is_shown_the_label():
    model = small(prior=Petals(3), labelled=True)
    z = np.ones((2, 2), "float32")
    logits = model.networks["discriminator"]([z, np.array([0, 1], "int32")])
    first, other = ops.convert_to_numpy(logits)
    assert first != other
    x = np.random.default_rng(0).integers(0, 256, (4, 4, 4, 1), "uint8")
    logs = model.train_on_batch(x, np.array([0, 1, 2, 0], "int32"), return_dict=True)
    assert all(np.isfinite(value) for value in logs.values())
    assert model.reconstruct(x).shape == x.shape  # needs no labels: the decoder has none


# --- refusals


def test_settings_that_contradict_each_other_are_refused():
    with pytest.raises(ZooError, match=r"prior takes a Prior, as .*Petals\(\.\.\.\)"):
        zoo.model("aae", prior="petals")
    with pytest.raises(ZooError, match=r"a component for each class, .* not StandardNormal"):
        zoo.model("aae", labelled=True)
    with pytest.raises(ZooError, match="components is 10 and the data have 3 classes"):
        small(prior=Petals(), labelled=True)


def test_a_labelled_prior_is_a_setting_that_survives_json():
    model = zoo.model("aae", prior=SwissRoll(3))
    told = settings_of(model, "models")["settings"]
    assert told["prior"] == {"class": "SwissRoll", "components": 3}
    assert zoo.model("aae", **told) == model
