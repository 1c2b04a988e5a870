"""VQ-VAE: the codebook and the terms against values worked by hand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import keras
import numpy as np
import pytest
from keras import ops

import zoo
from tests import models
from zoo import random
from zoo.errors import ZooError
from zoo_vqvae import VQVAE, VectorQuantizer


def quantizer(*codes, decay=0.5):
    """A layer with these codes, each a number or a tuple."""
    codebook = np.array(codes, "float32").reshape(len(codes), -1)
    layer = VectorQuantizer(*codebook.shape, decay=decay)
    layer.codebook.assign(codebook)
    return layer


def train(layer, *vectors, step=0):
    """Show the layer one example that holds these vectors."""
    x = np.array(vectors, "float32").reshape(1, -1)
    with random.scope(random.Generator(0, "test", step)):
        return [ops.convert_to_numpy(y) for y in layer(x, training=True)]


def values(*variables):
    return [ops.convert_to_numpy(v).ravel().tolist() for v in variables]


def test_each_vector_becomes_the_nearest_code():
    layer = quantizer((0, 0), (1, 1), (5, 0))
    x = np.float32([[0.4, 0.5, 3.1, 0.2], [0.9, 0.7, -9, 0]])
    quantized, perplexity = layer(x)
    np.testing.assert_array_equal(quantized, [[0, 0, 5, 0], [1, 1, 0, 0]])
    assert float(perplexity) == 1


def test_gradients_pass_straight_through():
    layer = quantizer((0, 0), (1, 1))
    x = ops.convert_to_tensor(np.float32([[0.4, 0.5, 3.1, 0.2]]))
    weights = ops.convert_to_tensor(np.float32([[1, -2, 3, 4]]))
    slope = zoo.gradient(lambda x: ops.sum(weights * layer(x)[0], axis=1), x)
    np.testing.assert_array_equal(ops.convert_to_numpy(slope), [[1, -2, 3, 4]])


def test_codes_follow_moving_averages():
    layer = quantizer(0, 10)
    quantized, perplexity = train(layer, 1, 3, 8)
    np.testing.assert_array_equal(quantized, [[0, 0, 10]])  # by the codebook as it was
    # N = (2, 1) / 2 and m = (4, 8) / 2
    assert values(layer.counts, layer.codebook) == [[1, 0.5], [2, 8]]
    # used as 2 to 1: exp(2/3 log 3/2 + 1/3 log 3)
    assert perplexity == pytest.approx(3 / 2 ** (2 / 3), rel=1e-5)

    train(layer, 4, 4, 4, 10)
    # N = (1, 0.5) / 2 + (3, 1) / 2 and m = (2, 4) / 2 + (12, 10) / 2
    counts, codebook = values(layer.counts, layer.codebook)
    assert counts == [2, 0.75]
    assert codebook == pytest.approx([7 / 2, 7 / 0.75], rel=1e-6)


def test_perplexity_of_even_use_is_the_number_of_codes():
    layer = quantizer(0, 10, 20, 30)
    _, perplexity = train(layer, 0, 10, 20, 30)
    assert perplexity == pytest.approx(4, rel=1e-5)
    _, again = layer(np.float32([[0, 0]]))  # of training, not of what it is asked
    assert float(again) == pytest.approx(4, rel=1e-5)


def test_a_code_that_is_never_used_moves_to_a_vector_of_the_batch():
    layer = quantizer(0, 100)
    train(layer, 1, 2, 4, 5)
    counts, codebook = values(layer.counts, layer.codebook)
    assert counts == [2, 0] and codebook[0] == 3
    assert codebook[1] in (1, 2, 4, 5)
    drawn = set()
    for seed in range(40):
        layer = quantizer(0, 100)
        train(layer, 1, 2, 4, 5, step=seed)
        drawn.add(values(layer.codebook)[0][1])
    assert drawn == {1, 2, 4, 5}


def test_a_code_dies_only_when_it_is_long_unused():
    layer = quantizer(0, 10)
    train(layer, 0, 10)
    places = []
    for _ in range(3):  # its share goes from 1/2 to 1/8, below 1/6
        train(layer, 1, 1, 1)
        places.append(values(layer.codebook)[0][1])
    assert places == [1, 1, 1]
    layer = quantizer(0, 10)
    train(layer, 0, 10, 10)
    train(layer, 0, 0)
    assert values(layer.codebook, layer.counts) == [[0, 10], [1.25, 0.5]]


def test_inference_changes_nothing():
    layer = quantizer(0, 10)
    train(layer, 1, 3, 8)
    before = values(*layer.variables)
    layer(np.float32([[7, 9]]))
    assert values(*layer.variables) == before


def test_the_layer_is_saved_and_refuses_wrong_settings():
    layer = quantizer((0, 0), (1, 1))
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert (again.codes, again.dimension, again.decay) == (2, 2, 0.5)
    for settings in ((0, 2, 0.5), (2, 0, 0.5), (2, 2, 1.0)):
        with pytest.raises(ValueError, match="a decay in"):
            VectorQuantizer(*settings)
    with pytest.raises(ZooError, match=r"cannot be built.*a decay in"):
        zoo.build(VQVAE(decay=1.0, filters=(2,)), zoo.DataSpec((8, 8, 1)))


# --- the model

PICTURE = np.float32([[0.2, 0.2], [0.8, 0.6]])[None, :, :, None]


def worked(rate=0.0, weights=None):
    """One weight, 1, before the codes (0, 0) and (1, 1), each of a row of a picture."""

    def encoder(data, model):
        one = keras.layers.Conv2D(1, 1, use_bias=False, kernel_initializer="ones")
        return keras.Sequential([keras.Input(data.shape), one, keras.layers.Flatten()])

    def decoder(data, model):
        return keras.Sequential([keras.Input((4,)), keras.layers.Reshape(data.shape)])

    plugin = VQVAE(filters=(1,), codes=2, dimension=2)
    networks = {"encoder": encoder, "decoder": decoder}
    data = zoo.DataSpec((2, 2, 1))
    model = zoo.build(plugin, data, networks=networks, weights=weights)
    model.networks["quantizer"].codebook.assign(np.float32([[0, 0], [1, 1]]))
    model.compile(optimizers={"autoencoder": keras.optimizers.SGD(rate)})
    return model


def test_the_terms_of_one_picture():
    logs = worked().evaluate(PICTURE, verbose=0, return_dict=True)
    # quantized to 0, 0, 1, 1: 0.04 + 0.04 + 0.04 + 0.16, from the picture as from the vectors
    assert logs["autoencoder/reconstruction"] == pytest.approx(0.28, rel=1e-5)
    assert logs["autoencoder/commitment"] == pytest.approx(0.28, rel=1e-5)
    assert logs["loss"] == pytest.approx(0.28 * 1.25, rel=1e-5)
    assert logs["autoencoder/perplexity"] == 1


@pytest.mark.parametrize("perplexity", [0.0, 3.0])
def test_one_step_of_the_encoder(perplexity):
    """Straight through, and drawn to the codes; perplexity has no gradient."""
    model = worked(rate=0.1, weights={"autoencoder": {"perplexity": perplexity}})
    model.train_on_batch(PICTURE)
    # with z = w x and codes q: the sum of x (2 (q - x) + 0.25 * 2 (x - q)) = 1.5 x (q - x)
    slope = 1.5 * (2 * 0.2 * -0.2 + 0.8 * 0.2 + 0.6 * 0.4)
    assert models.weight(model, "encoder") == pytest.approx(1 - 0.1 * slope, rel=1e-5)
    # each code is where its one vector was
    np.testing.assert_allclose(
        models.weights(model, "quantizer")[0], [[0.2, 0.2], [0.8, 0.6]], rtol=1e-5
    )


def test_abilities_speak_of_quantized_codes():
    model = worked()
    codes = model.encode(PICTURE)
    np.testing.assert_array_equal(codes, [[0, 0, 1, 1]])
    rough = codes + np.float32([[0.1, -0.2, 0.3, 0.1]])  # as a fitted sampler draws them
    np.testing.assert_array_equal(model.decode(rough), codes.reshape(1, 2, 2, 1))
    np.testing.assert_array_equal(model.reconstruct(PICTURE), codes.reshape(1, 2, 2, 1))


SMALL = {"filters": (4, 4), "residuals": 1, "codes": 8, "dimension": 2}


@dataclass(frozen=True)
class Probed(VQVAE):
    """Somebody else's move, which looks at codes."""

    def networks(self, data):
        probe = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])
        return {**super().networks(data), "probe": probe}

    def players(self):
        return {"probe": ("probe",)}

    def weights(self):
        return {}

    def moves(self):
        return [zoo.Move(self.judge, updates=("probe",))]

    def judge(self, nets, batch, rng):
        quantized, _ = nets.quantizer(nets.encoder(batch.x))
        return {"probe": {"square": ops.mean(ops.square(nets.probe(quantized)), axis=1)}}


def pictures(n=6):
    return np.random.RandomState(0).uniform(size=(n, 8, 8, 1)).astype("float32")


def compiled(plugin, seed=0):
    model = zoo.build(plugin, zoo.DataSpec((8, 8, 1)), seed=seed)
    model.compile(optimizers={player: keras.optimizers.SGD(0.1) for player in model.players})
    return model


def test_others_moves_and_evaluation_leave_the_codebook():
    for model, act in (
        (compiled(Probed(**SMALL)), "train_on_batch"),
        (compiled(VQVAE(**SMALL)), "evaluate"),
        (compiled(VQVAE(**SMALL)), "reconstruct"),
    ):
        before = models.weights(model, "quantizer")
        getattr(model, act)(pictures())
        assert models.same(before, models.weights(model, "quantizer")), act
    model = compiled(VQVAE(**SMALL))
    before = models.weights(model, "quantizer")
    model.train_on_batch(pictures())
    after = models.weights(model, "quantizer")
    assert not any(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_the_codebook_starts_from_the_seed():
    first, again, other = (
        models.weights(compiled(VQVAE(**SMALL), seed), "quantizer") for seed in (0, 0, 1)
    )
    assert models.same(first, again)
    assert not np.array_equal(first[0], other[0])


def test_vectors_are_refused():
    with pytest.raises(ZooError, match="convolutions need pictures"):
        zoo.build(VQVAE(), zoo.DataSpec((2,)))


def test_it_learns_and_uses_its_codes():
    x = np.tile(pictures(4), (8, 1, 1, 1))
    model = zoo.build(VQVAE(**SMALL), zoo.DataSpec((8, 8, 1)))
    model.compile(optimizers={"autoencoder": keras.optimizers.Adam(3e-3)})
    history = model.fit(x, epochs=30, batch_size=32, verbose=0).history
    error = history["autoencoder/reconstruction"]
    assert error[-1] < 0.5 * error[0]
    assert 2 < history["autoencoder/perplexity"][-1] <= 8
    assert math.isfinite(history["loss"][-1])
