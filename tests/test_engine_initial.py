"""Initial weights: the same on every backend, of the distributions that layers name."""

from __future__ import annotations

import random

import keras
import numpy as np
import pytest
from keras import initializers, layers

import zoo
from tests.models import Toy, dense, points, same, square, weights


def network(make, *, features=2, seed=0, name="a"):
    def loss(nets, batch, rng):
        return {name: {"zero": 0.0}}

    toy = Toy({name: make}, {name: [name]}, [loss])
    return zoo.build(toy, zoo.DataSpec((features,)), seed=seed).networks[name]


def kernel(initializer, shape=(200, 300), seed=0):
    def make():
        dense = layers.Dense(shape[1], kernel_initializer=initializer)
        return keras.Sequential([keras.Input((shape[0],)), dense])

    return network(make, seed=seed).layers[0].kernel.numpy()


# --- the same numbers everywhere

EXPECTED = {
    "dense": [0.59566414, 0.52006322],
    "glorot_uniform": [0.59566414, 0.011985934],
    "glorot_normal": [0.38629183, -0.37821168],
    "he_uniform": [0.7689991, 0.015473776],
    "he_normal": [0.49870059, -0.48826918],
    "lecun_uniform": [0.54376447, 0.010941612],
    "lecun_normal": [0.35263458, -0.34525844],
    "fan_out, untruncated": [0.65800476, -0.64424115],
    "normal": [0.51074517, 0.48947957],
    "uniform": [2.0875289, 1.0218832],
    "truncated": [0.51074517, 0.48947957],
    "orthogonal": [1.9093741, 0.3689827],
}


def test_expected_numbers():
    found = [w.ravel()[0] for w in weights_of(dense(3, 2)) if w.ndim == 2]
    np.testing.assert_allclose(found, EXPECTED["dense"], rtol=1e-6)
    for name, initializer in RANDOM.items():
        np.testing.assert_allclose(
            kernel(initializer, (3, 2)).ravel()[:2], EXPECTED[name], rtol=1e-6, err_msg=name
        )


def weights_of(make):
    return [np.array(v.numpy()) for v in network(make).variables]


def test_seed_and_names_decide():
    a = kernel("glorot_uniform", seed=0)
    assert same([a], [kernel("glorot_uniform", seed=0)])
    assert not same([a], [kernel("glorot_uniform", seed=1)])

    def pair(*order):
        toy = Toy(
            {name: dense(3, 2) for name in order},
            {name: [name] for name in order},
            [square(name) for name in order],
        )
        return zoo.build(toy, zoo.DataSpec((2,)))

    one, other = pair("left", "right"), pair("right", "left")
    for name in ("left", "right"):
        assert same(weights(one, name), weights(other, name))
    assert not same(weights(one, "left"), weights(one, "right"))


def test_two_kernels_of_one_shape_differ():
    kernels = [w for w in weights_of(dense(2, 2, 2)) if w.ndim == 2]
    assert len({w.ravel()[0] for w in kernels}) == 3


# --- distributions

RANDOM = {
    "glorot_uniform": initializers.GlorotUniform(),
    "glorot_normal": initializers.GlorotNormal(),
    "he_uniform": initializers.HeUniform(),
    "he_normal": initializers.HeNormal(),
    "lecun_uniform": initializers.LecunUniform(),
    "lecun_normal": initializers.LecunNormal(),
    "fan_out, untruncated": initializers.VarianceScaling(3.0, "fan_out", "untruncated_normal"),
    "normal": initializers.RandomNormal(0.5, 0.02),
    "uniform": initializers.RandomUniform(-1.0, 3.0),
    "truncated": initializers.TruncatedNormal(0.5, 0.02),
    "orthogonal": initializers.Orthogonal(gain=2.0),
}

# of 200 inputs and 300 outputs: mean, standard deviation, limits (None: unlimited)
TRUNCATED = 0.8796256610342398  # deviation of a normal cut at two deviations
SHAPES = {
    "glorot_uniform": (0.0, (1 / 250) ** 0.5, (3 / 250) ** 0.5),
    "glorot_normal": (0.0, (1 / 250) ** 0.5, 2 / TRUNCATED * (1 / 250) ** 0.5),
    "he_uniform": (0.0, (2 / 200) ** 0.5, (6 / 200) ** 0.5),
    "he_normal": (0.0, (2 / 200) ** 0.5, 2 / TRUNCATED * (2 / 200) ** 0.5),
    "lecun_uniform": (0.0, (1 / 200) ** 0.5, (3 / 200) ** 0.5),
    "lecun_normal": (0.0, (1 / 200) ** 0.5, 2 / TRUNCATED * (1 / 200) ** 0.5),
    "fan_out, untruncated": (0.0, 0.1, None),
    "normal": (0.5, 0.02, None),
    "uniform": (1.0, 4 / 12**0.5, 2.0),
    "truncated": (0.5, 0.02 * TRUNCATED, 0.04),
}


@pytest.mark.parametrize("name", SHAPES)
def test_mean_deviation_and_limits(name):
    mean, deviation, limit = SHAPES[name]
    values = kernel(RANDOM[name]).astype("float64")
    assert values.mean() == pytest.approx(mean, abs=5 * deviation / values.size**0.5)
    assert values.std() == pytest.approx(deviation, rel=0.02)
    furthest = np.abs(values - mean).max()
    if limit is None:
        assert furthest > 3.5 * deviation
    else:
        assert 0.99 * limit < furthest <= limit * (1 + 1e-6)


@pytest.mark.parametrize("shape", [(200, 300), (300, 200), (5, 5)])
def test_orthogonal(shape):
    q = kernel(RANDOM["orthogonal"], shape).astype("float64")
    small = q @ q.T if shape[0] <= shape[1] else q.T @ q
    np.testing.assert_allclose(small, 4.0 * np.eye(min(shape)), atol=1e-5)


def test_kernels_of_convolutions_count_their_window():
    def make():
        kernels = {"kernel_initializer": "he_normal", "padding": "same"}
        return keras.Sequential(
            [
                keras.Input((8, 8, 16)),
                layers.Conv2D(32, 3, **kernels),
                layers.Conv2DTranspose(64, 3, **kernels),
            ]
        )

    down, up = network(make).layers
    assert down.kernel.numpy().std() == pytest.approx((2 / (16 * 9)) ** 0.5, rel=0.05)
    # a transposed kernel is stored as (h, w, out, in); Keras too counts its axes in that order
    assert up.kernel.numpy().std() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.05)


LAYERS = {
    "embedding": (lambda: layers.Embedding(50, 40), (7,)),
    "lstm": (lambda: layers.LSTM(16), (7, 3)),
    "gru": (lambda: layers.GRU(16), (7, 3)),
    "bidirectional": (lambda: layers.Bidirectional(layers.LSTM(16)), (7, 3)),
    "attention": (lambda: Attend(), (7, 16)),
    "separable": (lambda: layers.SeparableConv2D(8, 3), (8, 8, 4)),
    "depthwise": (lambda: layers.DepthwiseConv2D(3, depth_multiplier=2), (8, 8, 4)),
    "einsum": (lambda: layers.EinsumDense("...b,bcd->...cd", (4, 5)), (7, 16)),
    "spectral": (lambda: layers.SpectralNormalization(layers.Dense(40)), (3,)),
}


class Attend(layers.Layer):
    def __init__(self):
        super().__init__()
        self.attention = layers.MultiHeadAttention(2, 8)

    def build(self, shape):
        self.attention.build(shape, shape)

    def call(self, x):
        return self.attention(x, x)


@pytest.mark.parametrize("name", LAYERS)
def test_layers_with_weights_of_many_names(name):
    make, shape = LAYERS[name]

    def built(seed):
        found = network(lambda: keras.Sequential([keras.Input(shape), make()]), seed=seed)
        return [np.array(v.numpy()) for v in found.weights]

    first, again, other = built(0), built(0), built(1)
    assert same(first, again)
    for a, b in zip(first, other, strict=True):
        assert np.array_equal(a, b) == (np.unique(a).size <= 2)  # biases: zeros, and ones of LSTM
    random.seed(0)  # where Keras takes its own seeds from
    with_keras = keras.Sequential([keras.Input(shape), make()]).weights
    for a, v in zip(first, with_keras, strict=True):
        assert a.shape == tuple(v.shape)
        assert a.std() == pytest.approx(v.numpy().std(), rel=0.35, abs=1e-8), v.path


def test_a_network_that_builds_late_gets_the_same_numbers():
    def early():
        return keras.Sequential([keras.Input((2,)), layers.Dense(3), layers.Dense(1)])

    def late():
        return keras.Sequential([layers.Dense(3), layers.Dense(1)])

    built = []
    for make in (early, late):
        model = zoo.build(Toy({"a": make}, {"a": ["a"]}, [square("a")]), zoo.DataSpec((2,)))
        model.compile({"a": "sgd"})
        built.append(weights(model, "a"))
        assert np.isfinite(model.evaluate(points(3), verbose=0)).all()
    assert same(*built)


def test_an_initializer_that_networks_share_follows_the_seed():
    """It gives one value again and again, which is not to be taken for a trained one."""

    def built():
        normal = initializers.RandomNormal(stddev=0.02)  # Keras draws a seed for it

        def given(data, model):
            hidden = layers.Dense(3, kernel_initializer=normal)
            return keras.Sequential([keras.Input(data.shape), hidden])

        model = zoo.build(
            Toy({"a": dense(3), "b": dense(3)}, {"a": ["a", "b"]}, [square("a")]),
            zoo.DataSpec((2,)),
            networks={"a": given, "b": given},
        )
        return [weights(model, name)[0] for name in "ab"]

    first, again = built(), built()
    assert same(first, again)
    assert not same(first[:1], first[1:])


# --- what the experiment's seed does not draw


def frozen(initializer):
    def make():
        fixed = layers.Dense(300, kernel_initializer=initializer, trainable=False)
        return keras.Sequential([keras.Input((200,)), fixed, layers.Dense(1)])

    return network(make, features=200).layers[0].kernel.numpy()


def test_a_frozen_layer_has_weights_of_the_distribution_that_it_names():
    kernel = frozen("glorot_uniform")
    assert np.abs(kernel).max() <= (bound := np.sqrt(6 / 500))
    assert kernel.std() == pytest.approx(bound / np.sqrt(3), rel=0.02)
    assert abs(kernel.mean()) < 0.02 * bound
    assert not np.array_equal(kernel, frozen("glorot_uniform"))


def test_a_frozen_layer_with_a_seed_of_its_own_has_keras_numbers():
    kernel = frozen(initializers.HeNormal(seed=5))
    given = keras.ops.convert_to_numpy(initializers.HeNormal(seed=5)((200, 300)))
    np.testing.assert_allclose(kernel, given, rtol=1e-6)
