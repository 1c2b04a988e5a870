"""Layers: what they compute, by hand; their draws, their weights, and their gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
import numpy as np
import pytest
from keras import layers, ops

import zoo
from zoo import random
from zoo.nn.layers import (
    Dropout,
    GaussianNoise,
    LayerNormalization,
    Masking,
    Maxout,
    SpectralNormalization,
)
from zoo.nn.losses import penalties
from zoo.random import Generator


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def again(layer):
    return keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))


# --- noise


def test_dropout_is_the_same_units_everywhere():
    layer = Dropout(0.25)
    x = np.ones((200, 100), "float32")
    with random.scope(Generator(0, "dropout")):
        y = numpy(layer(x, training=True))
    kept = numpy(Generator(0, "dropout").bernoulli(x.shape, 0.75))
    np.testing.assert_allclose(y, kept / np.float32(0.75))
    assert kept.mean() == pytest.approx(0.75, abs=0.01)


def test_masking_sets_to_zero_and_leaves_the_rest():
    x = normal(200, 10, 10, 1)
    with random.scope(Generator(0, "masking")):
        y = numpy(Masking(0.25)(x, training=True))
    kept = y != 0
    np.testing.assert_array_equal(y[kept], x[kept])
    assert kept.mean() == pytest.approx(0.75, abs=0.01)


def test_gaussian_noise_is_the_steps_own():
    x = normal(200, 100)
    with random.scope(Generator(0, "noise")):
        y = numpy(GaussianNoise(0.5)(x, training=True))
    noise = numpy(Generator(0, "noise").normal(x.shape))
    np.testing.assert_allclose(y, x + 0.5 * noise, rtol=1e-5, atol=1e-6)
    assert (y - x).std() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("layer", [Dropout(0.1), Masking(0.1), GaussianNoise(0.1)])
def test_noise_is_for_training_alone(layer):
    x = normal(2, 3)
    np.testing.assert_array_equal(numpy(layer(x)), x)
    np.testing.assert_array_equal(numpy(layer(x, training=False)), x)
    assert layer.compute_output_shape((3, 4)) == (3, 4)
    with pytest.raises(RuntimeError, match=r"zoo\.random\.scope"):
        layer(x, training=True)
    config = layer.get_config()
    assert 0.1 in config.values() and again(layer).get_config() == config


@pytest.mark.parametrize("kind", [Dropout, Masking, GaussianNoise])
def test_no_noise_needs_no_draws(kind):
    x = normal(2, 3)
    np.testing.assert_array_equal(numpy(kind(0.0)(x, training=True)), x)


def test_what_is_no_rate_is_refused():
    for rate in (1.0, -0.1):
        for kind in (Dropout, Masking):
            with pytest.raises(ValueError, match=r"rate must be in \[0, 1\), not"):
                kind(rate)
    with pytest.raises(ValueError, match="stddev must be at least 0, not -1"):
        GaussianNoise(-1)


# --- layer normalization


def test_layer_normalization_by_hand():
    layer = LayerNormalization(epsilon=0.0)
    x = np.array([[1.0, 3.0], [0.0, -8.0]], "float32")
    np.testing.assert_allclose(numpy(layer(x)), [[-1, 1], [1, -1]], rtol=1e-5)
    layer.gain.assign([2.0, 3.0])
    layer.bias.assign([0.0, 1.0])
    np.testing.assert_allclose(numpy(layer(x)), [[-2, 4], [2, -2]], rtol=1e-5)


def test_layer_normalization_takes_all_of_an_example_together():
    x = normal(3, 4, 5, 2) * 3.0 + 1.0
    y = numpy(LayerNormalization()(x))
    np.testing.assert_allclose(y.mean(axis=(1, 2, 3)), np.zeros(3), atol=1e-5)
    np.testing.assert_allclose(y.std(axis=(1, 2, 3)), np.ones(3), rtol=1e-4)
    assert np.abs(y.mean(axis=(1, 2))).max() > 0.01  # and not each channel by itself


def test_of_vectors_it_is_keras_layer_normalization():
    x = normal(3, 8)
    expected = layers.LayerNormalization(epsilon=1e-5)(x)
    np.testing.assert_allclose(numpy(LayerNormalization()(x)), numpy(expected), atol=1e-5)


@pytest.mark.parametrize("shape", [(6,), (3, 4, 2)], ids=str)
def test_a_second_gradient_through_layer_normalization_is_right(shape):
    """Against finite differences, as the first gradient of |grad f|^2 in a penalty."""
    normalize = LayerNormalization()
    before, after = (ops.convert_to_tensor(normal(*shape, seed=seed)) for seed in (1, 2))

    def critic(v):
        # without a weight before it, a stopped gradient of the mean would not show
        hidden = ops.tanh(normalize(v * before))
        return ops.sum(hidden * after, axis=tuple(range(1, len(shape) + 1)))

    def squared_slope(v):
        return ops.sum(ops.square(zoo.gradient(critic, v)))

    x = normal(1, *shape)
    found = numpy(zoo.gradient(squared_slope, ops.convert_to_tensor(x)))
    expected, step = np.zeros_like(x), 3e-3
    for place in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[place] += step
        down[place] -= step
        difference = numpy(squared_slope(ops.convert_to_tensor(up))) - numpy(
            squared_slope(ops.convert_to_tensor(down))
        )
        expected[place] = difference / (2 * step)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-3 * np.abs(expected).max())


def test_layer_normalization_is_saved():
    assert again(LayerNormalization(epsilon=0.5)).epsilon == 0.5
    assert LayerNormalization().compute_output_shape((3, 4)) == (3, 4)


def test_layer_normalization_of_halves_is_computed_in_full():
    layer = LayerNormalization(dtype="mixed_float16")
    y = layer(np.array([[6e4, -6e4]], "float32"))
    assert keras.backend.standardize_dtype(y.dtype) == "float16"
    np.testing.assert_allclose(numpy(y), [[1, -1]], rtol=1e-3)


# --- maxout


def test_maxout_by_hand():
    layer = Maxout(units=2, pieces=2)
    layer.build((None, 1))
    layer.kernel.assign([[1.0, -1.0, 2.0, 0.0]])  # max(x, -x); max(2 x, 1)
    layer.bias.assign([0.0, 0.0, 0.0, 1.0])
    x = np.array([[-3.0], [0.0], [2.0]], "float32")
    np.testing.assert_allclose(numpy(layer(x)), [[3, 1], [0, 1], [2, 4]])
    assert layer.compute_output_shape((3, 1)) == (3, 2)


def test_maxout_is_saved_and_drawn_from_the_seed():
    layer = again(Maxout(3, 5, kernel_initializer="he_normal"))
    assert (layer.units, layer.pieces) == (3, 5)
    assert isinstance(layer.kernel_initializer, keras.initializers.HeNormal)
    kernels = []
    for seed in (0, 0, 1):
        layer = Maxout(3, 5)
        built(layer, seed)
        kernels.append(numpy(layer.kernel))
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert (kernels[0] != kernels[2]).all()
    for sizes in ((0, 2), (2, 0)):
        with pytest.raises(ValueError, match="units and pieces of 1 or more"):
            Maxout(*sizes)


# --- spectral normalization


def normalized(layer, shape, iterations=1):
    """A spectrally normalized layer, built, with a bias, after many passes in training."""
    layer = SpectralNormalization(layer, iterations)
    layer.build((None, *shape))
    layer.layer.kernel.assign(normal(*layer.layer.kernel.shape, seed=4))
    layer.layer.bias.assign(normal(*layer.layer.bias.shape, seed=5))
    layer.u.assign(normal(*layer.u.shape, seed=6))
    for _ in range(100):
        layer(np.zeros((1, *shape), "float32"), training=True)
    return layer


def test_a_dense_kernel_is_divided_by_its_largest_singular_value():
    layer = normalized(layers.Dense(3), (5,))
    kernel, bias = numpy(layer.layer.kernel), numpy(layer.layer.bias)
    largest = np.linalg.svd(kernel, compute_uv=False)[0]
    x = normal(4, 5)
    expected = x @ kernel / largest + bias
    for training in (True, False):
        np.testing.assert_allclose(numpy(layer(x, training=training)), expected, rtol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(numpy(layer.u)), 1.0, rtol=1e-5)
    assert layer.compute_output_shape((4, 5)) == (4, 3)


@pytest.mark.parametrize(
    ("kind", "outputs"), [(layers.Conv2D, 3), (layers.Conv2DTranspose, 2)], ids=["conv", "up"]
)
def test_a_convolutions_kernel_is_a_matrix_of_inputs_by_outputs(kind, outputs):
    layer = normalized(kind(4, 3, strides=2, padding="same"), (6, 6, 2))
    kernel = np.moveaxis(numpy(layer.layer.kernel), outputs, -1)
    assert kernel.shape[-1] == 4
    largest = np.linalg.svd(kernel.reshape(-1, 4), compute_uv=False)[0]
    x, bias = normal(2, 6, 6, 2), numpy(layer.layer.bias)
    expected = (numpy(layer.layer(x)) - bias) / largest + bias
    np.testing.assert_allclose(numpy(layer(x)), expected, rtol=1e-3, atol=1e-5)


def test_power_iterations_of_one_pass():
    layer = SpectralNormalization(layers.Dense(2, use_bias=False), power_iterations=2)
    layer.build((None, 2))
    layer.layer.kernel.assign([[1.0, 0.0], [0.0, 2.0]])
    layer.u.assign([1.0, 1.0])
    # u goes from (1, 1) by W W^T = diag(1, 4), twice, to (1, 16) / sqrt(257)
    u = np.array([1.0, 16.0]) / np.sqrt(257)
    v = np.array([1.0, 8.0]) / np.sqrt(65)  # W^T of (1, 4)
    sigma = u @ np.diag([1.0, 2.0]) @ v
    x = np.array([[1.0, 1.0]], "float32")
    np.testing.assert_allclose(numpy(layer(x)), [[1 / sigma, 2 / sigma]], rtol=1e-5)
    np.testing.assert_array_equal(numpy(layer.u), [1.0, 1.0])  # kept out of training
    layer(x, training=True)
    np.testing.assert_allclose(numpy(layer.u), u, rtol=1e-5)


@dataclass(frozen=True)
class Game(zoo.Model):
    """``net`` trains on its outputs' mean; ``other`` through it, leaving its u alone."""

    layer: layers.Layer
    value_range: ClassVar = None

    def networks(self, data):
        other = layers.Dense(data.shape[0], use_bias=False)
        return {
            "net": keras.Sequential([keras.Input(data.shape), self.layer]),
            "other": keras.Sequential([keras.Input(data.shape), other]),
        }

    def players(self):
        return {"net": ("net",), "other": ("other",)}

    def moves(self):
        return [self.first, self.second]

    def first(self, nets, batch, rng):
        return {"net": {"mean": ops.mean(nets.net(batch.x), axis=1)}}

    def second(self, nets, batch, rng):
        return {"other": {"mean": ops.mean(nets.net(nets.other(batch.x)), axis=1)}}


def built(layer, seed=0, **rates):
    model = zoo.build(Game(layer), zoo.DataSpec((4,)), seed=seed)
    model.compile({p: keras.optimizers.SGD(rates.get(p, 0.1)) for p in model.players})
    return model


def test_u_is_drawn_from_the_seed():
    def start(seed):
        layer = SpectralNormalization(layers.Dense(3))
        built(layer, seed)
        return numpy(layer.u)

    np.testing.assert_array_equal(start(0), start(0))
    assert (start(0) != start(1)).all() and np.abs(start(0)).min() > 0


def test_a_step_follows_the_gradient_through_sigma_and_keeps_u():
    layer = SpectralNormalization(layers.Dense(3))
    model = built(layer, other=0.0)
    w, u, x = (
        numpy(layer.layer.kernel).T.astype("float64"),
        numpy(layer.u).astype("float64"),
        normal(2, 4),
    )
    v = w.T @ u / np.linalg.norm(w.T @ u)
    u = w @ v / np.linalg.norm(w @ v)
    sigma = u @ w @ v
    # loss = mean of x W^T / sigma; dW of it, and of 1 / sigma with d sigma = u v^T
    slope = np.ones((3, 1)) * x.mean(axis=0)[None] / 3
    gradient = slope / sigma - (slope * w).sum() / sigma**2 * np.outer(u, v)
    model.train_on_batch(x)
    np.testing.assert_allclose(numpy(layer.layer.kernel), (w - 0.1 * gradient).T, rtol=1e-4)
    # the second move, which trains the other network, has left u alone
    np.testing.assert_allclose(numpy(layer.u), u, rtol=1e-4, atol=1e-6)
    evaluated = model.evaluate(x, verbose=0)
    assert np.isfinite(evaluated).all()
    np.testing.assert_allclose(numpy(layer.u), u, rtol=1e-4, atol=1e-6)


def test_spectral_normalization_under_a_gradient_penalty():
    """The slope of a spectrally normalized linear function is at most 1, and here 1."""
    layer = normalized(layers.Dense(1), (4,))
    real, fake = ops.convert_to_tensor(normal(3, 4)), ops.zeros((3, 4))
    found = penalties.gradient_penalty(layer, real, fake, Generator(0, "test"))
    np.testing.assert_allclose(numpy(found), np.zeros(3), atol=1e-6)


def test_spectral_normalization_is_saved(tmp_path):
    inputs = keras.Input((4,))
    model = keras.Model(inputs, SpectralNormalization(layers.Dense(3), 2)(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layers[1].power_iterations == 2
    x = normal(2, 4)
    np.testing.assert_array_equal(numpy(loaded(x)), numpy(model(x)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SpectralNormalization(layers.Embedding(2, 2)), "takes Dense, .*, not Embedding"),
        (lambda: SpectralNormalization(layers.Dense(2, "relu")), "without activation"),
        (lambda: SpectralNormalization(layers.Dense(2), 0), "at least 1, not 0"),
    ],
)
def test_what_cannot_be_normalized_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
