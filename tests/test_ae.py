"""Autoencoders: every term against a value worked by hand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import keras
import numpy as np
import pytest

import zoo
from tests import models
from zoo.errors import ZooError
from zoo.nn import samplers

TERM = "autoencoder/{}".format


def identity():
    return np.eye(2, dtype="float32")


def build(model, encoder=None, decoder=None, *, rate=0.0, features=2, **options):
    """A linear autoencoder of points whose layers have these kernels and no bias."""
    built = zoo.build(model, zoo.DataSpec((features,)), **options)
    for name, kernel in (("encoder", encoder), ("decoder", decoder)):
        if kernel is not None:
            built.networks[name].trainable_variables[0].assign(np.asarray(kernel, "float32"))
    built.compile(optimizers={"autoencoder": keras.optimizers.SGD(rate)})
    return built


def linear(name="ae", latent_dim=2, **settings):
    return zoo.model(name, latent_dim=latent_dim, units=(), **settings)


def evaluate(model, x, **options):
    return model.evaluate(np.asarray(x, "float32"), verbose=0, return_dict=True, **options)


def step(model, x):
    return model.train_on_batch(np.asarray(x, "float32"), return_dict=True)


def test_squared_error_is_summed_over_the_example_and_averaged_over_the_batch():
    model = build(linear(latent_dim=1), [[1], [2]], [[0.5, 1.0]])
    # (1, 1) has the code 3, which gives (1.5, 3): 0.25 + 4; (0, 0) gives itself
    assert evaluate(model, [[1, 1], [0, 0]])[TERM("reconstruction")] == pytest.approx(4.25 / 2)
    np.testing.assert_allclose(model.encode(np.float32([[1, 1]])), [[3]], rtol=1e-6)
    np.testing.assert_allclose(model.reconstruct(np.float32([[1, 1]])), [[1.5, 3]], rtol=1e-6)
    np.testing.assert_allclose(model.decode([[2.0]]), [[1, 2]], rtol=1e-6)


def test_bernoulli_is_a_likelihood_of_logits():
    model = build(linear(reconstruction="bernoulli"), identity(), identity())
    # logits 0.2 and 1 for the values 0.2 and 1: softplus(l) - x l
    expected = math.log1p(math.exp(0.2)) - 0.04 + math.log1p(math.exp(1.0)) - 1
    assert evaluate(model, [[0.2, 1.0]])[TERM("reconstruction")] == pytest.approx(expected)
    sigmoids = 1 / (1 + np.exp([[-0.2, -1.0]]))
    np.testing.assert_allclose(model.reconstruct(np.float32([[0.2, 1]])), sigmoids, rtol=1e-6)


def test_one_hundred_numbers_in_fifty():
    """The smallest autoencoder: 100-50-100, ReLU and sigmoid."""
    plugin = linear(latent_dim=50, code_activation="relu", output_activation="sigmoid")
    model = build(plugin, features=100)
    assert model.count_params() == 100 * 50 + 50 + 50 * 100 + 100
    x = models.points(20, 100)
    codes, outputs = model.encode(x), model.reconstruct(x)
    assert codes.min() == 0 < codes.max()
    assert outputs.min() > 0 and outputs.max() < 1


@pytest.mark.parametrize("convolutional", [False, True])
def test_the_decoder_mirrors_the_encoder(convolutional):
    sizes = {"convolutional": convolutional, "units": (8, 4), "filters": (8, 4)}
    plugin = zoo.model("ae", latent_dim=3, **sizes)
    built = zoo.build(plugin, zoo.DataSpec((8, 8, 1)))

    def widths(name):
        layers = built.networks[name].layers
        return [layer.bias.shape[0] for layer in layers if hasattr(layer, "kernel")]

    assert widths("encoder") == [8, 4, 3]
    small = 2 * 2 * 4  # a transposed convolution starts from a map
    assert widths("decoder") == ([small, 8, 1] if convolutional else [4, 8, 64])


def test_sparsity_is_the_l1_norm_of_the_code():
    x = [[3, -1]]
    model = build(linear("sparse_ae"), identity(), identity())
    logs = evaluate(model, x)  # the ReLU makes (3, 0) of it
    assert logs[TERM("sparsity")] == pytest.approx(3)
    assert logs["loss"] == pytest.approx(1 + 0.1 * 3)
    model = build(linear("sparse_ae", code_activation=None), identity(), identity())
    assert evaluate(model, x)[TERM("sparsity")] == pytest.approx(4)


def contraction(**options):
    return {"weights": {"autoencoder": {"reconstruction": 0.0, "contraction": 1.0}}, **options}


def test_contraction_of_a_linear_encoder_is_the_square_of_its_kernel():
    plugin = linear("contractive_ae", code_activation=None)
    points = models.points(4096)
    # the columns are orthogonal, and the projection therefore exact: 1 + 4
    logs = evaluate(build(plugin, [[1, 0], [0, 2]]), points)
    assert logs[TERM("contraction")] == pytest.approx(5, rel=1e-6)
    # the columns (1, 0) and (2, 1): by the signs' product 10 or 2, and 6 = 1 + 4 + 1 on average
    model = build(plugin, [[1, 2], [0, 1]])
    for n in (1, 2, 3):
        estimate = evaluate(model, points[:n])[TERM("contraction")] * n
        assert min(abs(estimate - (10 * k + 2 * (n - k))) for k in range(n + 1)) < 1e-4
    assert evaluate(model, points)[TERM("contraction")] == pytest.approx(6, abs=0.2)


def test_contraction_of_a_sigmoid_is_that_of_equation_six():
    model = build(linear("contractive_ae", latent_dim=1), [[1], [2]])
    # (h (1 - h))^2 ||w||^2 with h = 1/2, at 0
    logs = evaluate(model, [[0, 0]])
    assert logs[TERM("contraction")] == pytest.approx(0.25**2 * 5, rel=1e-5)


def test_contraction_trains_the_encoder_through_its_gradient():
    plugin = linear("contractive_ae", latent_dim=1, code_activation=None)
    model = build(plugin, [[1], [2]], rate=0.1, **contraction())
    step(model, [[0.3, -0.4], [1, 1]])
    kernel = models.weights(model, "encoder")[0]
    np.testing.assert_allclose(kernel, [[0.8], [1.6]], rtol=1e-5)  # w - 0.1 * 2 w


def test_masking_corrupts_what_is_trained_on_and_nothing_else():
    plugin = linear("denoising_ae", masking=0.25)
    model = build(plugin, identity(), identity())
    ones = np.ones((4000, 2), "float32")
    # what is masked comes back as 0, an error of 1 for each
    assert step(model, ones)[TERM("reconstruction")] == pytest.approx(0.5, abs=0.05)
    assert evaluate(model, ones)[TERM("reconstruction")] == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(model.reconstruct(ones[:3]), ones[:3])


def test_noise_is_measured_against_the_clean_example():
    model = build(linear("denoising_ae", masking=0.0, noise=0.5), identity(), identity())
    x = models.points(4000)
    first = step(model, x)[TERM("reconstruction")]
    assert first == pytest.approx(2 * 0.25, abs=0.03)
    assert step(model, x)[TERM("reconstruction")] != pytest.approx(first, abs=1e-7)


def corrupted_by(make, x):
    """Errors of three steps of an identity whose input goes through a layer."""
    plugin = zoo.model("denoising_ae", latent_dim=4, units=())
    corruption = {"corruption": lambda data, model: make()}
    built = zoo.build(plugin, zoo.DataSpec(x.shape[1:]), networks=corruption)
    built.compile(optimizers={"autoencoder": keras.optimizers.SGD(0.0)})
    for name in ("encoder", "decoder"):
        for variable in built.networks[name].variables:
            variable.assign(np.ones(variable.shape) / 16)
    return [float(step(built, x)["loss"]) for _ in range(3)]


@pytest.mark.parametrize("layer", ["GaussianNoise", "RandomErasing"])
def test_a_layer_of_keras_corrupts_every_step_anew(layer):
    options = {"GaussianNoise": {"stddev": 0.5}, "RandomErasing": {"value_range": (0, 1)}}
    x = np.random.RandomState(0).uniform(size=(8, 8, 8, 1)).astype("float32")
    errors = corrupted_by(lambda: getattr(keras.layers, layer)(**options[layer]), x)
    assert len(set(errors)) == 3


@pytest.mark.skipif(
    keras.backend.backend() == "jax",
    reason="keras-cv computes in TensorFlow, which JAX cannot trace",
)
def test_a_layer_of_keras_cv_corrupts_every_step_anew():
    keras_cv = pytest.importorskip("keras_cv")
    x = np.random.RandomState(0).uniform(size=(8, 8, 8, 1)).astype("float32")
    errors = corrupted_by(lambda: keras_cv.layers.RandomCutout(0.5, 0.5), x)
    assert len(set(errors)) == 3


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("ae", {"reconstruction": "bernouli"}, "did you mean 'bernoulli'"),
        (
            "sparse_ae",
            {"reconstruction": "bernoulli", "output_activation": "sigmoid"},
            "SparseAE: output_activation is for the squared error",
        ),
    ],
)
def test_wrong_settings_are_refused(name, settings, message):
    with pytest.raises(ZooError, match=message):
        zoo.model(name, **settings)


def test_wrong_corruption_is_refused_when_it_is_built():
    with pytest.raises(ZooError, match=r"Masking's rate must be in \[0, 1\), not 1"):
        zoo.build(linear("denoising_ae", masking=1.0), zoo.DataSpec((2,)))


@dataclass(frozen=True)
class Pair(zoo.Dataset):
    """Points near the line x = y."""

    def load(self, access=None):
        x = models.points(300, 1) * np.float32([[1, 1]]) + 0.01 * models.points(300)
        split = zoo.datasets.Split(x)
        return zoo.datasets.Data("pair", zoo.DataSpec((2,)), split, split, split)


def test_a_run_learns_and_samples_through_a_fitted_sampler(tmp_path):
    recipe = zoo.Recipe(
        model=linear(latent_dim=1),
        dataset=Pair(batch_size=32),
        optimizers={"autoencoder": keras.optimizers.Adam(0.05)},
        sampler=samplers.GaussianMixture(1),
        epochs=10,
    )
    run = zoo.train(recipe, name="pair", runs_folder=str(tmp_path))
    model = zoo.load(run)
    samples = model.sample(2000)
    assert np.abs(samples[:, 0] - samples[:, 1]).mean() < 0.05
    np.testing.assert_allclose(samples.std(axis=0), Pair().load().train.x.std(axis=0), rtol=0.1)
