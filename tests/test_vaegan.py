"""VAE-GAN: its terms, gradients, gate and batch norm, worked by hand."""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest
from keras import layers, ops

import zoo
from tests.models import weights
from zoo.engine.nets import Nets
from zoo.errors import ZooError
from zoo.random import Generator

ENCODE, DECODE, FEATURE, JUDGE = 0.5, 3.0, 2.0, 0.25  # the weights of the networks below
X = np.array([[1.0], [-2.0]], "float32")


def times(number, **options):
    return layers.Dense(
        1, use_bias=False, kernel_initializer=keras.initializers.Constant(number), **options
    )


def encoder(data, model):
    """The mean is x / 2, and the deviation 1e-9: no noise to speak of."""
    x = keras.Input((1,))
    log_var = layers.Dense(1, kernel_initializer="zeros", bias_initializer=_minus_40)
    return keras.Model(x, [times(ENCODE)(x), log_var(x)])


def _minus_40(shape, dtype=None):
    return ops.full(shape, -40.0, dtype)


def decoder(data, model):
    return keras.Sequential([keras.Input((1,)), times(DECODE)])


def discriminator(data, model):
    x = keras.Input((1,))
    features = times(FEATURE)(x)
    return keras.Model(x, [times(JUDGE)(features), features])


LINEAR = {"encoder": encoder, "decoder": decoder, "discriminator": discriminator}


def linear(loss_weights=None, rate=0.1, networks=LINEAR, **settings):
    """The VAE-GAN of one weight a network, on numbers."""
    plugin = zoo.model("vaegan", latent_dim=1, **settings)
    model = zoo.build(plugin, zoo.DataSpec((1,)), weights=loss_weights, networks=networks)
    model.compile(optimizers={player: keras.optimizers.SGD(rate) for player in model.players})
    return model


def terms(model, x):
    nets = Nets(model.networks, False, "test", model.data)
    batch = zoo.Batch(ops.convert_to_tensor(x))
    found = model.plugin.together(nets, batch, Generator(0, "test"))
    return {
        f"{player}/{name}": ops.convert_to_numpy(value)
        for player, own in found.items()
        for name, value in own.items()
    }


def softplus(x):
    return np.log1p(np.exp(x))


@pytest.mark.parametrize("features", [True, False])
@pytest.mark.parametrize("adversarial", ["minimax", "non_saturating"])
def test_every_term_by_hand(features, adversarial):
    found = terms(linear(features=features, adversarial=adversarial), X)
    rng = Generator(0, "test")
    rng.normal((2, 1))  # of the codes
    sample = DECODE * ops.convert_to_numpy(rng.normal((2, 1)))[:, 0]
    x = X[:, 0]
    mean = ENCODE * x
    again = DECODE * mean
    real, reconstructed, sampled = (JUDGE * FEATURE * made for made in (x, again, sample))
    scale = FEATURE if features else 1.0
    reconstruction = 0.5 * (math.log(2 * math.pi) + (scale * (x - again)) ** 2)
    fool = (
        (lambda logit: -softplus(logit))
        if adversarial == "minimax"
        else (lambda logit: softplus(-logit))
    )
    expected = {
        "encoder/kl": 0.5 * (mean**2 + math.exp(-40) - 1 + 40),
        "encoder/reconstruction": reconstruction,
        "decoder/reconstruction": reconstruction,
        "decoder/reconstructed": fool(reconstructed),
        "decoder/sampled": fool(sampled),
        "discriminator/real": softplus(-real),
        "discriminator/reconstructed": softplus(reconstructed),
        "discriminator/sampled": softplus(sampled),
    }
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-5, err_msg=name)


def test_each_player_follows_its_own_terms_from_one_forward_pass():
    """One step of SGD(0.1) on x = 1, all three gradients taken where the weights were."""
    gamma = 0.5
    silent = {
        "decoder": {"reconstruction": gamma, "sampled": 0.0},
        "discriminator": {"reconstructed": 0.5, "sampled": 0.0},
    }
    model = linear(silent)
    model.train_on_batch(X[:1])
    moved = {name: weights(model, name) for name in LINEAR}
    e, d, f, j = ENCODE, DECODE, FEATURE, JUDGE
    error = 1 - d * e  # of the reconstruction, in pixels
    sigmoid = lambda logit: 1 / (1 + math.exp(-logit))  # noqa: E731
    fake = sigmoid(j * f * d * e)
    # KL e^2 / 2 and reconstruction (f error)^2 / 2; nothing of the adversary
    assert moved["encoder"][0].item() == pytest.approx(e - 0.1 * (e - f**2 * error * d), rel=1e-5)
    # gamma reconstruction, and -softplus(j f d e), minimax
    slope = -gamma * f**2 * error * e - fake * j * f * e
    assert moved["decoder"][0].item() == pytest.approx(d - 0.1 * slope, rel=1e-5)
    # softplus(-j f) and half of softplus(j f d e); nothing of the reconstruction
    real = sigmoid(-j * f)
    slope = -real * j + 0.5 * fake * j * d * e, -real * f + 0.5 * fake * f * d * e
    found = sorted(v.item() for v in moved["discriminator"])
    assert found == pytest.approx(sorted([f - 0.1 * slope[0], j - 0.1 * slope[1]]), rel=1e-5)


def test_default_weights():
    assert zoo.model("vaegan").weights()["discriminator"] == {"reconstructed": 0.5, "sampled": 0.5}
    assert 0 < zoo.model("vaegan").weights()["decoder"]["reconstruction"] < 1  # gamma
    assert zoo.model("vaegan", features=False).weights()["decoder"]["reconstruction"] == 1


# --- the gate


@pytest.mark.parametrize(
    ("real", "fake", "discriminator_moves", "decoder_moves"),
    [
        (0.68, 0.68, True, True),
        (0.29, 1.07, True, True),  # just inside [0.28, 1.08]
        (0.27, 0.68, False, True),  # the discriminator is ahead
        (0.68, 0.27, False, True),
        (1.09, 0.68, True, False),  # it is behind
        (0.68, 1.09, True, False),
        (0.27, 1.09, True, True),  # both: then both move
    ],
)
def test_the_gate(real, fake, discriminator_moves, decoder_moves):
    plugin = zoo.model("vaegan", margin=0.4)
    # the loss on what is made is that on both kinds of it
    judged = {"real": real, "reconstructed": fake - 0.2, "sampled": fake + 0.2}
    judged = {name: ops.convert_to_tensor(value, "float32") for name, value in judged.items()}
    found = plugin.gate(0, {"discriminator": judged})
    assert {player: bool(value) for player, value in found.items()} == {
        "discriminator": discriminator_moves,
        "decoder": decoder_moves,
    }


@pytest.mark.parametrize(
    ("equilibrium", "sits"), [(0.68, None), (9.0, "discriminator"), (-9.0, "decoder")]
)
def test_who_sits_out_keeps_its_weights(equilibrium, sits):
    model = linear(margin=5.0, equilibrium=equilibrium)
    before = {name: weights(model, name) for name in LINEAR}
    model.train_on_batch(X)
    for name in LINEAR:
        same = [(a == b).all() for a, b in zip(before[name], weights(model, name), strict=True)]
        assert all(same) == (name == sits), name


# --- batch norm, data and labels


def test_the_discriminators_batch_norm_sees_its_three_kinds_as_one_batch():
    def constant(data, model):
        value = layers.Dense(1, kernel_initializer="zeros", bias_initializer="ones")
        return keras.Sequential([keras.Input((1,)), value])

    def normalizing(data, model):
        x = keras.Input((1,))
        features = layers.BatchNormalization(momentum=0.9)(x)
        return keras.Model(x, [times(1.0)(features), features])

    networks = {**LINEAR, "decoder": constant, "discriminator": normalizing}
    model = linear(networks=networks, rate=0.0)
    model.train_on_batch(np.array([[4.0], [6.0]], "float32"))
    [norm] = [
        layer
        for layer in model.networks["discriminator"].layers
        if isinstance(layer, layers.BatchNormalization)
    ]
    joint = np.array([4, 6, 1, 1, 1, 1])
    assert norm.moving_mean.numpy().item() == pytest.approx(0.1 * joint.mean(), rel=1e-5)
    assert norm.moving_variance.numpy().item() == pytest.approx(0.9 + 0.1 * joint.var(), rel=1e-5)


@pytest.mark.parametrize("shape", [(2,), (5, 3)])
def test_it_is_for_vectors_too(shape):
    model = zoo.build(zoo.model("vaegan", latent_dim=3, units=(8,)), zoo.DataSpec(shape))
    model.compile(optimizers=dict.fromkeys(model.players, "adam"))
    x = 7 * np.random.default_rng(0).random((6, *shape), "float32")
    assert all(np.isfinite(v) for v in model.train_on_batch(x, return_dict=True).values())
    assert model.reconstruct(x).shape == model.sample(6).shape == x.shape
    assert model.encode(x).shape == (6, 3)


def test_labels_reach_encoder_and_decoder():
    plugin = zoo.model("vaegan", latent_dim=2, filters=4, conditional=True)
    model = zoo.build(plugin, zoo.DataSpec((8, 8, 1), classes=3))
    x = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 1), "uint8")
    z = np.zeros((1, 2), "float32")
    for first, other in (
        (model.encode(x, labels=[0]), model.encode(x, labels=[1])),
        (model.decode(z, labels=[0]), model.decode(z, labels=[1])),
    ):
        assert np.abs(first - other).max() > 1e-5


def test_an_unknown_adversarial_loss_is_refused_at_once():
    with pytest.raises(ZooError, match="did you mean 'minimax'"):
        zoo.model("vaegan", adversarial="minmax")
