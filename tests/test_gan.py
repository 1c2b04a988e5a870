"""GAN, DCGAN and WGAN: what their settings change in the losses and networks."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

import zoo
import zoo_gan
from zoo.engine.nets import Nets
from zoo.errors import ZooError
from zoo.nn.distributions import StandardNormal
from zoo.nn.layers import DiffAugment, Packed
from zoo.random import Generator

POINTS = zoo.DataSpec((2,), classes=3)
PLANE = StandardNormal(2)
PICTURES = zoo.DataSpec((8, 8, 1), classes=3)


def numpy(x):
    return ops.convert_to_numpy(x)


def terms(model, move, x, labels=None, training=False):
    """The terms of one of the model's losses on these examples."""
    nets = Nets(model.networks, training, "test", model.data)
    batch = zoo.Batch(ops.convert_to_tensor(x), labels)
    rng = Generator(0, "test")
    with zoo.random.scope(rng):
        loss = getattr(model.plugin, move)(nets, batch, rng)
    return {p: {t: numpy(v) for t, v in own.items()} for p, own in loss.items()}


def linear(model, network, kernel, bias=(0.0,)):
    """Make a network without hidden layers ``kernel * x + bias``."""
    kernels = [v for v in model.networks[network].trainable_variables if "kernel" in v.path]
    biases = [v for v in model.networks[network].trainable_variables if "bias" in v.path]
    kernels[0].assign(kernel)
    biases[0].assign(bias)


def pack(x, size):
    """What a discriminator of packs sees."""
    return Packed(keras.layers.Identity(), size)(x)


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
    model = zoo.build(zoo.model("gan", prior=PLANE, units=()), POINTS)
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
    model = zoo.build(zoo.model("gan", prior=PLANE, units=(), adversarial=adversarial), POINTS)
    linear(model, "discriminator", [[1.0], [0.0]], [0.5])
    linear(model, "generator", np.zeros((2, 2)), [2.0, 0.0])
    x = np.array([[1.0, 9.0], [-1.0, 9.0]], "float32")
    found = terms(model, "discriminate", x)["discriminator"]
    np.testing.assert_allclose(found["real"], real, atol=1e-6)
    np.testing.assert_allclose(found["fake"], fake, rtol=1e-6)
    np.testing.assert_allclose(
        terms(model, "generate", x)["generator"]["adversarial"], generator, rtol=1e-6
    )


@pytest.mark.parametrize(
    "name, player, term, value, weight",
    [
        ("r1_gan", "discriminator", "r1", 25.0, 5.0),
        ("wgan_gp", "critic", "gradient_penalty", 16.0, 10.0),
    ],
)
def test_a_penalty_is_a_term_of_the_discriminator(name, player, term, value, weight):
    model = zoo.build(zoo.model(name, prior=PLANE, units=()), POINTS)
    linear(model, player, [[3.0], [4.0]])  # a slope of 5 everywhere
    move = model._moves[0].loss.__name__
    found = terms(model, move, np.ones((3, 2), "float32"))[player]
    np.testing.assert_allclose(found[term], [value] * 3, rtol=1e-5)
    weights = dict(next(model.described_moves())[1][player])
    assert weights == {"real": 1, "fake": 1, term: weight}


@pytest.mark.parametrize("name", ["gan", "pacgan"])
def test_a_simultaneous_step_has_both_gradients_of_the_same_place(name):
    """By hand, with fakes that are (2, 0) whatever the noise: D(x) = x_0 + 0.5."""
    packing = {"packing": 1} if name == "pacgan" else {}
    plugin = zoo.model(name, prior=PLANE, units=(), simultaneous=True, **packing)
    model = zoo.build(plugin, POINTS)
    linear(model, "discriminator", [[1.0], [0.0]], [0.5])
    linear(model, "generator", np.zeros((2, 2)), [2.0, 0.0])
    model.compile(optimizers={p: keras.optimizers.SGD(0.1) for p in model.players})
    x = np.array([[1.0, 9.0], [-1.0, 9.0]], "float32")
    model.train_on_batch(x)

    def sigmoid(v):
        return 1 / (1 + np.exp(-v))

    real, fake = -sigmoid(-np.array([1.5, -0.5])), sigmoid(2.5)
    slope = (real[:, None] * x).mean(axis=0) + fake * np.array([2.0, 0.0])
    networks = [model.networks[n] for n in ("discriminator", "generator")]
    both = [[numpy(v) for v in n.trainable_variables] for n in networks]
    kernels, biases = zip(*both, strict=True)
    np.testing.assert_allclose(kernels[0][:, 0], np.array([1.0, 0.0]) - 0.1 * slope, rtol=1e-5)
    np.testing.assert_allclose(biases[0], [0.5 - 0.1 * (real.mean() + fake)], rtol=1e-5)
    # the discriminator's slope before its own step, (1, 0), moves the generator
    np.testing.assert_allclose(biases[1], [2.0 + 0.1 * sigmoid(-2.5), 0.0], rtol=1e-5)


def test_a_move_of_its_own_is_not_left_out_silently():
    class Own(zoo_gan.GAN):
        def discriminate(self, nets, batch, rng):
            return super().discriminate(nets, batch, rng)

    with pytest.raises(ZooError, match=r"Own has a discriminate\(\) of its own"):
        Own(simultaneous=True).moves()


@pytest.mark.parametrize("name", ["gan", "dcgan", "pacgan"])
def test_simultaneous_moves_train(name):
    settings = {"gan": {"conditional": True}, "pacgan": {"packing": 2}}.get(name, {"filters": 2})
    data = zoo.DataSpec((8, 8, 1), classes=3 if name == "gan" else 0)
    model = zoo.build(zoo.model(name, prior=PLANE, simultaneous=True, **settings), data)
    model.compile("adam")
    x = np.random.default_rng(0).uniform(-1, 1, (5, 8, 8, 1)).astype("float32")
    y = np.zeros(5, "int32") if name == "gan" else None
    before = {n: numpy(net.trainable_variables[0]) for n, net in model.networks.items()}
    model.train_on_batch(x, y)
    for n, net in model.networks.items():
        assert np.abs(numpy(net.trainable_variables[0]) - before[n]).max() > 0, n


def test_a_penalty_belongs_to_a_simultaneous_step_too():
    model = zoo.build(zoo.model("r1_gan", prior=PLANE, units=(), simultaneous=True), POINTS)
    linear(model, "discriminator", [[3.0], [4.0]])
    found = terms(model, "play", np.ones((3, 2), "float32"))
    assert {player: [*own] for player, own in found.items()} == {
        "discriminator": ["real", "fake", "r1"],
        "generator": ["adversarial"],
    }


def test_packing_widens_what_the_discriminator_sees():
    model = zoo.build(zoo.model("pacgan", packing=3, units=(4,)), POINTS)
    assert model.networks["discriminator"].network.input_shape == (None, 6)
    model = zoo.build(zoo.model("pacgan", packing=2, units=(4,)), PICTURES)
    assert model.networks["discriminator"].network.input_shape == (None, 8, 8, 2)


def test_the_terms_of_packs_are_means():
    model = zoo.build(zoo.model("pacgan", prior=PLANE, units=()), POINTS)
    linear(model, "discriminator", [[1.0], [0.0], [0.0], [0.0]], [0.5])
    x = np.array([[1.0, 9.0], [7.0, 9.0], [-1.0, 9.0], [7.0, 9.0]], "float32")
    found = terms(model, "discriminate", x)["discriminator"]
    assert found["real"] == pytest.approx(np.log1p(np.exp([-1.5, 0.5])).mean(), rel=1e-6)


def test_a_conditional_pair_sees_the_labels():
    model = zoo.build(zoo.model("gan", prior=PLANE, units=(8,), conditional=True), POINTS)
    x = np.ones((2, 2), "float32")
    zero, one = (
        terms(model, "discriminate", x, ops.convert_to_tensor(np.full(2, label, "int32")))
        for label in (0, 1)
    )
    assert np.abs(zero["discriminator"]["real"] - one["discriminator"]["real"]).max() > 1e-4
    samples = model.sample(2, seed=0, labels=[0, 0]), model.sample(2, seed=0, labels=[1, 1])
    assert np.abs(samples[0] - samples[1]).max() > 1e-4


def test_clipping_bounds_the_critic_and_leaves_the_generator():
    model = zoo.build(zoo.model("wgan", prior=PLANE, units=(4,), clip=0.01, repeats=1), POINTS)
    model.compile(optimizers={p: keras.optimizers.SGD(1.0) for p in model.players})
    x = np.random.default_rng(0).normal(size=(16, 2)).astype("float32")
    model.fit(x, batch_size=8, epochs=1, verbose=0)
    critic = [numpy(v) for v in model.networks["critic"].trainable_variables]
    generator = [numpy(v) for v in model.networks["generator"].trainable_variables]
    assert max(np.abs(v).max() for v in critic) == pytest.approx(0.01)
    assert max(np.abs(v).max() for v in generator) > 0.01


def test_the_critic_of_a_wasserstein_gan_may_be_normalized():
    def layers(**settings):
        model = zoo.build(zoo.model("wgan", filters=2, **settings), zoo.DataSpec((8, 8, 1)))
        return {type(layer).__name__ for layer in model.networks["critic"].layers}

    assert "LayerNormalization" in layers(normalization="layer")
    assert "LayerNormalization" not in layers()


def test_a_critic_moves_on_batches_of_its_own():
    model = zoo.build(zoo.model("wgan_gp", prior=PLANE, units=(4,)), POINTS)
    assert model.repeats == 5
    assert model.players == {"critic": ("critic",), "generator": ("generator",)}
    assert set(model.terms["critic"]) == {"real", "fake", "gradient_penalty"}


@pytest.mark.parametrize("name", ["gan", "wgan", "wgan_gp"])
def test_they_take_vectors_and_pictures(name):
    for data in (POINTS, PICTURES):
        model = zoo.build(zoo.model(name, prior=PLANE, units=(4,)), data)
        assert model.sample(3).shape == (3, *data.shape)


def test_dcgan_is_sized_by_its_data():
    for side, halvings in ((28, 2), (32, 3), (64, 4)):
        model = zoo.build(zoo.model("dcgan", prior=PLANE, filters=1), zoo.DataSpec((side, side, 3)))
        kernels = [v for v in model.networks["discriminator"].trainable_variables if v.ndim == 4]
        assert len(kernels) == halvings


def test_dcgan_has_the_layers_of_its_paper():
    data = zoo.DataSpec((64, 64, 3))
    nets = zoo.model("dcgan", filters=2).networks(data)
    kinds = {
        "Conv2D",
        "Conv2DTranspose",
        "BatchNormalization",
        "ReLU",
        "LeakyReLU",
        "Activation",
        "Dense",
    }

    def layers_of(net):
        return [type(layer).__name__ for layer in net.layers if type(layer).__name__ in kinds]

    doubling = ["Conv2DTranspose", "BatchNormalization", "ReLU"] * 3
    last = ["Conv2DTranspose", "Activation"]
    assert layers_of(nets["generator"]) == ["Dense", "BatchNormalization", "ReLU", *doubling, *last]
    halving = ["Conv2D", "LeakyReLU", *["Conv2D", "BatchNormalization", "LeakyReLU"] * 3]
    assert layers_of(nets["discriminator"]) == [*halving, "Dense"]
    filters = [layer.filters for layer in nets["generator"].layers if hasattr(layer, "filters")]
    assert filters == [8, 4, 2, 3]


def test_augmentation_changes_what_both_players_see():
    def behind(data, model):
        augmented = DiffAugment(("cutout",))
        return keras.Sequential([keras.Input(data.shape), augmented, model.discriminator(data)])

    plugin = zoo.model("dcgan", prior=PLANE, filters=2)
    plain = zoo.build(plugin, PICTURES)
    cut = zoo.build(plugin, PICTURES, networks={"discriminator": behind})
    own, other = (m.networks["discriminator"].trainable_variables for m in (plain, cut))
    for a, b in zip(own, other, strict=True):
        b.assign(a)
    x = np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 1)).astype("float32")
    for move, player in (("discriminate", "discriminator"), ("generate", "generator")):
        for term, value in terms(plain, move, x, training=True)[player].items():
            changed = terms(cut, move, x, training=True)[player][term]
            assert np.abs(changed - value).max() > 1e-6
            still = terms(cut, move, x)[player][term]
            np.testing.assert_allclose(still, terms(plain, move, x)[player][term], atol=1e-5)


@pytest.mark.parametrize(
    "name, settings, message",
    [
        ("gan", {"adversarial": "hing"}, "hinge"),
        ("gan", {"prior": {"class": "Uniform", "dimension": 2.5}}, "dimension takes int"),
        (
            "gan",
            {"prior": "normal"},
            r"prior takes a Prior, as .*StandardNormal\(\.\.\.\).*, not 'normal'",
        ),
        ("gan", {"repeats": 0}, "repeat is an integer, at least 1"),
        ("dcgan", {"repeats": 2, "simultaneous": True}, "leave repeats out"),
        ("dcgan", {"filters": "5"}, "filters takes int"),
    ],
)
def test_settings_are_checked(name, settings, message):
    with pytest.raises(ZooError, match=message):
        zoo.build(zoo.model(name, **settings), PICTURES)


def test_a_policy_is_checked():
    with pytest.raises(ZooError, match="cutout"):
        DiffAugment(("cut",))
