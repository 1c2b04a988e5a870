"""GAN, DCGAN and WGAN: what their settings change in the losses and networks."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops
from zoo.nn.packing import pack

import zoo
from zoo.engine.nets import Nets
from zoo.errors import ZooError
from zoo.random import Generator

POINTS = zoo.DataSpec((2,), classes=3)
PICTURES = zoo.DataSpec((8, 8, 1), classes=3)


def numpy(x):
    return ops.convert_to_numpy(x)


def terms(model, move, x, labels=None):
    """The terms of one of the model's losses on these examples, in inference."""
    nets = Nets(model.networks, False, "test", model.data)
    batch = zoo.Batch(ops.convert_to_tensor(x), labels)
    loss = getattr(model.plugin, move)(nets, batch, Generator(0, "test"))
    return {p: {t: numpy(v) for t, v in own.items()} for p, own in loss.items()}


def linear(model, network, kernel, bias=(0.0,)):
    """Make a network without hidden layers ``kernel * x + bias``."""
    kernels = [v for v in model.networks[network].trainable_variables if "kernel" in v.path]
    biases = [v for v in model.networks[network].trainable_variables if "bias" in v.path]
    kernels[0].assign(kernel)
    biases[0].assign(bias)


def test_packs_hold_neighbours_side_by_side():
    x = ops.convert_to_tensor(np.arange(8, dtype="float32").reshape(4, 2))
    np.testing.assert_array_equal(numpy(pack(x, 2)), [[0, 1, 2, 3], [4, 5, 6, 7]])


def test_the_last_pack_is_filled_up_with_the_first_examples():
    x = ops.convert_to_tensor(np.arange(3, dtype="float32")[:, None])
    np.testing.assert_array_equal(numpy(pack(x, 2)), [[0, 1], [2, 0]])
    np.testing.assert_array_equal(numpy(pack(x[:1], 4)), [[0, 0, 0, 0]])


def test_packed_pictures_share_their_channels():
    x = ops.convert_to_tensor(np.arange(24, dtype="float32").reshape(2, 2, 3, 2))
    packed = numpy(pack(x, 2))
    assert packed.shape == (1, 2, 3, 4)
    np.testing.assert_array_equal(packed[0, ..., :2], numpy(x)[0])
    np.testing.assert_array_equal(packed[0, ..., 2:], numpy(x)[1])


def test_the_losses_are_those_of_their_name():
    model = zoo.build(zoo.model("gan", latent_dim=2, units=()), POINTS)
    linear(model, "discriminator", [[1.0], [0.0]], [0.5])
    linear(model, "generator", np.zeros((2, 2)), [2.0, 0.0])
    x = np.array([[1.0, 9.0], [-1.0, 9.0]], "float32")

    def softplus(v):
        return np.log1p(np.exp(v))

    found = terms(model, "discriminate", x)["discriminator"]
    np.testing.assert_allclose(found["real"], softplus(-np.array([1.5, -0.5])), rtol=1e-6)
    np.testing.assert_allclose(found["fake"], softplus(np.array([2.5, 2.5])), rtol=1e-6)
    found = terms(model, "generate", x)["generator"]
    np.testing.assert_allclose(found["adversarial"], softplus(-np.array([2.5, 2.5])), rtol=1e-6)


@pytest.mark.parametrize(
    "adversarial, real, fake, generator",
    [
        ("wasserstein", [-1.5, 0.5], [2.5, 2.5], [-2.5, -2.5]),
        ("hinge", [0.0, 1.5], [3.5, 3.5], [-2.5, -2.5]),
        ("least_squares", [0.125, 1.125], [3.125, 3.125], [1.125, 1.125]),
    ],
)
def test_another_adversarial_loss(adversarial, real, fake, generator):
    model = zoo.build(zoo.model("gan", latent_dim=2, units=(), adversarial=adversarial), POINTS)
    linear(model, "discriminator", [[1.0], [0.0]], [0.5])
    linear(model, "generator", np.zeros((2, 2)), [2.0, 0.0])
    x = np.array([[1.0, 9.0], [-1.0, 9.0]], "float32")
    found = terms(model, "discriminate", x)["discriminator"]
    np.testing.assert_allclose(found["real"], real, atol=1e-6)
    np.testing.assert_allclose(found["fake"], fake, rtol=1e-6)
    np.testing.assert_allclose(
        terms(model, "generate", x)["generator"]["adversarial"], generator, rtol=1e-6
    )


@pytest.mark.parametrize("regularizer, term", [("r1", 25.0), ("gradient_penalty", 16.0)])
def test_a_regularizer_is_a_term_of_the_discriminator(regularizer, term):
    model = zoo.build(zoo.model("gan", latent_dim=2, units=(), regularizer=regularizer), POINTS)
    linear(model, "discriminator", [[3.0], [4.0]])  # a slope of 5 everywhere
    found = terms(model, "discriminate", np.ones((3, 2), "float32"))["discriminator"]
    np.testing.assert_allclose(found[regularizer], [term] * 3, rtol=1e-5)
    weights = dict(model.described_moves().__next__()[1]["discriminator"])
    assert weights == {
        "real": 1,
        "fake": 1,
        regularizer: {"r1": 5, "gradient_penalty": 10}[regularizer],
    }


def test_packing_widens_what_the_discriminator_sees():
    model = zoo.build(zoo.model("gan", latent_dim=2, units=(4,), packing=3), POINTS)
    assert model.networks["discriminator"].input_shape == (None, 6)
    model = zoo.build(zoo.model("dcgan", latent_dim=2, filters=2, packing=2), PICTURES)
    assert model.networks["discriminator"].input_shape == (None, 8, 8, 2)


def test_noise_of_components_lies_around_their_means():
    plugin = zoo.model("gan", latent_dim=5, components=3)
    z = numpy(plugin.noise(Generator(0, "test"), 3000))
    component = z[:, :3].argmax(axis=1)
    assert np.bincount(component).min() > 900
    rest = z - 4.0 * np.eye(5)[component]
    np.testing.assert_allclose(rest.mean(axis=0), 0, atol=0.1)
    np.testing.assert_allclose(rest.std(axis=0), 1, atol=0.1)


def test_a_conditional_pair_sees_the_labels():
    model = zoo.build(zoo.model("gan", latent_dim=2, units=(8,), conditional=True), POINTS)
    x = np.ones((2, 2), "float32")
    zero, one = (
        terms(model, "discriminate", x, ops.convert_to_tensor(np.full(2, label, "int32")))
        for label in (0, 1)
    )
    assert np.abs(zero["discriminator"]["real"] - one["discriminator"]["real"]).max() > 1e-4
    samples = model.sample(2, seed=0, labels=[0, 0]), model.sample(2, seed=0, labels=[1, 1])
    assert np.abs(samples[0] - samples[1]).max() > 1e-4


def test_clipping_bounds_the_critic_and_leaves_the_generator():
    model = zoo.build(zoo.model("wgan", latent_dim=2, units=(4,), clip=0.01, repeats=1), POINTS)
    model.compile(optimizers={p: keras.optimizers.SGD(1.0) for p in model.players})
    x = np.random.default_rng(0).normal(size=(16, 2)).astype("float32")
    model.fit(x, batch_size=8, epochs=1, verbose=0)
    critic = [numpy(v) for v in model.networks["critic"].trainable_variables]
    generator = [numpy(v) for v in model.networks["generator"].trainable_variables]
    assert max(np.abs(v).max() for v in critic) == pytest.approx(0.01)
    assert max(np.abs(v).max() for v in generator) > 0.01


def test_a_critic_moves_on_batches_of_its_own():
    model = zoo.build(zoo.model("wgan_gp", latent_dim=2, units=(4,)), POINTS)
    assert model.repeats == 5
    assert model.players == {"critic": ("critic",), "generator": ("generator",)}
    assert set(model.terms["critic"]) == {"real", "fake", "gradient_penalty"}


@pytest.mark.parametrize("name", ["gan", "wgan", "wgan_gp"])
def test_they_take_vectors_and_pictures(name):
    for data in (POINTS, PICTURES):
        model = zoo.build(zoo.model(name, latent_dim=2, units=(4,)), data)
        assert model.sample(3).shape == (3, *data.shape)


def test_dcgan_is_sized_by_its_data():
    for side, halvings in ((28, 2), (32, 3), (64, 4)):
        model = zoo.build(
            zoo.model("dcgan", latent_dim=2, filters=1), zoo.DataSpec((side, side, 3))
        )
        kernels = [v for v in model.networks["discriminator"].trainable_variables if v.ndim == 4]
        assert len(kernels) == halvings


def test_augmentation_changes_what_both_players_see():
    plain = zoo.build(zoo.model("dcgan", latent_dim=2, filters=2, dropout=0.0), PICTURES)
    cut = zoo.build(
        zoo.model("dcgan", latent_dim=2, filters=2, dropout=0.0, augmentation=("cutout",)), PICTURES
    )
    x = np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 1)).astype("float32")
    for move, player in (("discriminate", "discriminator"), ("generate", "generator")):
        for term, value in terms(plain, move, x)[player].items():
            assert np.abs(terms(cut, move, x)[player][term] - value).max() > 1e-6


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"adversarial": "hing"}, "hinge"),
        ({"regularizer": "r2"}, "r1"),
        ({"packing": 0}, "at least 1"),
        ({"components": 65}, "from 1 to latent_dim"),
        ({"packing": 2, "conditional": True}, "packed examples have no label"),
        ({"augmentation": ("cut",)}, "cutout"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(ZooError, match=message):
        zoo.build(zoo.model("gan", **settings), PICTURES)
