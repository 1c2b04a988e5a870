"""The likelihoods, terms and abilities of VAEs against values worked by hand."""

from __future__ import annotations

import json
import math

import keras
import numpy as np
import pytest
from keras import ops

import zoo
from zoo.engine.nets import Nets
from zoo.errors import ZooError
from zoo.nn import schedules
from zoo.plugin import serialization
from zoo.plugin.model import Batch

PICTURES = np.linspace(0, 1, 3 * 8 * 8).reshape(3, 8, 8, 1).astype("float32")
POINTS = np.array([[0.5, -1.0], [2.0, 0.25], [0.0, 0.0]], "float32")
LABELS = np.array([0, 1, 2], "int32")
LOG_2PI = math.log(2 * math.pi)


def built(name="vae", shape=(8, 8, 1), **settings):
    settings = {"latent_dim": 2, "units": (8,), **settings}
    return zoo.build(zoo.model(name, **settings), zoo.DataSpec(shape, classes=3))


def constant(network, *values):
    """Make a network's linear heads give these numbers, whatever they are shown."""
    heads = [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]
    for head, value in zip(heads[-len(values) :], values, strict=True):
        kernel, bias = head.weights
        kernel.assign(np.zeros(kernel.shape))
        bias.assign(np.full(bias.shape, value))


def constants(model, moments, *outputs):
    constant(model.networks["encoder"], *moments)
    constant(model.networks["decoder"], *outputs)
    return model


def terms(model, x, labels=None, purpose="t"):
    """What the loss gives, as NumPy, with the noise that it drew."""
    nets = Nets(model.networks, True, "test", model.data)
    labels = None if labels is None else ops.convert_to_tensor(labels)
    rng = zoo.random.Generator(0, purpose)
    found = model.plugin.elbo(nets, Batch(ops.convert_to_tensor(x), labels), rng)
    assert set(found) == {"autoencoder"}
    return {name: ops.convert_to_numpy(value) for name, value in found["autoencoder"].items()}


def noise(n, columns, purpose="t", draws=1):
    rng = zoo.random.Generator(0, purpose)
    return [ops.convert_to_numpy(rng.normal((n, columns))) for _ in range(draws)][-1]


def log_normal(x, mean, log_var):
    return -0.5 * (LOG_2PI + log_var + (x - mean) ** 2 / np.exp(log_var)).sum(axis=1)


# --- likelihoods


def test_bernoulli_pixels():
    model = constants(built(), (0.5, -1.0), 0.3)
    found = terms(model, PICTURES)
    expected = (64 * math.log1p(math.exp(0.3))) - 0.3 * PICTURES.sum(axis=(1, 2, 3))
    np.testing.assert_allclose(found["reconstruction"], expected, rtol=1e-5)
    kl = 2 * 0.5 * (0.5**2 + math.exp(-1.0) - 1 + 1.0)
    np.testing.assert_allclose(found["kl"], [kl] * 3, rtol=1e-5)
    np.testing.assert_allclose(model.reconstruct(PICTURES), 1 / (1 + math.exp(-0.3)), rtol=1e-5)


def test_normal_pixels_share_one_learned_variance():
    model = constants(built(likelihood="normal"), (0.0, 0.0), 0.25)
    [scale] = [v for v in model.trainable_variables if v.name == "log_scale"]
    assert scale.shape == ()
    scale.assign(-1.5)
    squares = np.square(PICTURES - 0.25).sum(axis=(1, 2, 3))
    expected = 0.5 * (64 * (LOG_2PI - 1.5) + squares * math.exp(1.5))
    np.testing.assert_allclose(terms(model, PICTURES)["reconstruction"], expected, rtol=1e-5)
    np.testing.assert_allclose(model.sample(2), np.full((2, 8, 8, 1), 0.25), rtol=1e-6)


def test_points_have_a_mean_and_a_variance_of_each_coordinate():
    model = constants(built(shape=(2,), likelihood="normal"), (0.0, 0.0), 0.5, -1.0)
    expected = -log_normal(POINTS, 0.5, -1.0)
    np.testing.assert_allclose(terms(model, POINTS)["reconstruction"], expected, rtol=1e-5)
    np.testing.assert_allclose(model.reconstruct(POINTS), np.full((3, 2), 0.5))


def test_samples_of_points_have_the_noise_of_their_likelihood():
    model = constants(built(shape=(2,), likelihood="normal"), (0.0, 0.0), 0.5, -1.0)
    samples = model.sample(4000)
    np.testing.assert_allclose(samples.mean(axis=0), 0.5, atol=0.04)
    np.testing.assert_allclose(samples.std(axis=0), math.exp(-0.5), atol=0.03)


def test_levels_of_a_pixel_have_probabilities_that_sum_to_one():
    model = constants(built(shape=(1, 1, 1), likelihood="discretized_logistic"), (0.0, 0.0), 0.4)
    levels = (np.arange(256) / 255).reshape(256, 1, 1, 1).astype("float32")
    nats = terms(model, levels)["reconstruction"]
    assert np.exp(-nats).sum() == pytest.approx(1.0, rel=1e-4)
    scale, half = math.exp(-2.0), 0.5 / 255  # where the shared scale starts
    sigmoid = [1 / (1 + math.exp((0.4 - x) / scale)) for x in (102 / 255 + half, 102 / 255 - half)]
    assert nats[102] == pytest.approx(-math.log(sigmoid[0] - sigmoid[1]), rel=1e-4)
    np.testing.assert_allclose(model.reconstruct(levels[:1]), 0.4, rtol=1e-5)


# --- the bound


@pytest.mark.parametrize(
    ("likelihood", "outputs"), [("bernoulli", (0.3,)), ("normal", (0.3,)), ("points", (0.3, 0.1))]
)
def test_a_posterior_that_is_the_prior_leaves_the_likelihood_of_what_is_decoded(
    likelihood, outputs
):
    """The decoder ignores z, so log p(x) = log p(x|z), from any number of samples."""
    points = likelihood == "points"
    model = built(
        shape=(2,) if points else (8, 8, 1), likelihood="normal" if points else likelihood
    )
    x = POINTS if points else PICTURES
    exact = -terms(constants(model, (0.0, 0.0), *outputs), x)["reconstruction"]
    for samples in (1, 7):
        np.testing.assert_allclose(model.log_likelihood(x, samples=samples), exact, rtol=1e-4)


def linear(shape_of_z=1):
    """p(x) is known: z ~ N(0, 1), x = (z, z) + N(0, exp(0.2)) in each coordinate."""
    model = built(shape=(2,), latent_dim=shape_of_z, units=(), likelihood="normal")
    mean, log_var = [
        layer for layer in model.networks["decoder"].layers if isinstance(layer, keras.layers.Dense)
    ]
    mean.kernel.assign(np.ones(mean.kernel.shape))
    log_var.kernel.assign(np.zeros(log_var.kernel.shape))
    log_var.bias.assign(np.full(log_var.bias.shape, 0.2))
    return model


def exact_of_linear(x):
    covariance = np.ones((2, 2)) + math.exp(0.2) * np.eye(2)
    square = np.einsum("ni,ij,nj->n", x, np.linalg.inv(covariance), x)
    return -0.5 * (2 * LOG_2PI + np.log(np.linalg.det(covariance)) + square)


def test_the_bound_nears_log_p_from_below():
    model = linear()
    constant(model.networks["encoder"], 0.0, 0.0)
    x = np.repeat(POINTS, 200, axis=0)
    exact = exact_of_linear(POINTS)
    bounds = [
        model.log_likelihood(x, samples=k, seed=1).reshape(3, 200).mean(axis=1) for k in (1, 8, 500)
    ]
    assert (bounds[0] < bounds[1]).all() and (bounds[1] < bounds[2] + 0.02).all()
    np.testing.assert_allclose(bounds[2], exact, atol=0.03)


def test_the_bound_is_exact_with_the_true_posterior():
    """q(z|x) = N(s (x1 + x2), v), v = 1 / (1 + 2 / exp(0.2)), s = v / exp(0.2)."""
    model = linear()
    variance = 1 / (1 + 2 * math.exp(-0.2))
    mean, log_var = (model.networks["encoder"].get_layer(name) for name in ("mean", "log_var"))
    mean.kernel.assign(np.full((2, 1), variance * math.exp(-0.2)))
    log_var.kernel.assign(np.zeros((2, 1)))
    log_var.bias.assign([math.log(variance)])
    for samples in (1, 5):
        found = model.log_likelihood(POINTS, samples=samples)
        np.testing.assert_allclose(found, exact_of_linear(POINTS), rtol=1e-5)


# --- conditional


def test_labels_change_what_a_conditional_model_encodes_decodes_and_finds_likely():
    model = built(conditional=True)
    same = np.repeat(PICTURES[:1], 3, axis=0)
    for found in (
        model.encode(same, labels=LABELS),
        model.decode(np.zeros((3, 2)), labels=LABELS),
        model.sample(3, labels=LABELS).reshape(3, -1).round(6),
        model.log_likelihood(same, samples=4, labels=LABELS),
    ):
        assert len(np.unique(found, axis=0)) == 3
    for found, again in (
        (model.encode(same, labels=LABELS), model.encode(same, labels=LABELS[::-1])),
        (
            model.decode(np.zeros((3, 2)), labels=LABELS),
            model.decode(np.zeros((3, 2)), labels=LABELS[::-1]),
        ),
    ):
        np.testing.assert_allclose(found, again[::-1], rtol=1e-5)


def test_each_importance_sample_of_a_conditional_model_sees_the_label_of_its_example():
    model = built(conditional=True)
    x = np.repeat(PICTURES[:1], 3, axis=0)
    mixed = model.log_likelihood(x, samples=5, labels=LABELS)
    for i in range(3):
        alone = model.log_likelihood(x, samples=5, labels=np.full(3, LABELS[i]))
        assert mixed[i] == pytest.approx(float(alone[i]), rel=1e-5)


# --- the latent terms


def test_free_bits_cost_the_same_until_they_are_used():
    moments = {"encoder": (1.0, 0.0), "free": (0.1, 0.0)}
    used = 0.5 * 1.0**2  # nats of a dimension with mean 1 and variance 1
    model = constants(built("free_bits_vae", free_bits=0.25), moments["encoder"], 0.0)
    assert terms(model, PICTURES)["kl"] == pytest.approx(2 * used, rel=1e-5)
    model = constants(built("free_bits_vae", free_bits=0.25), moments["free"], 0.0)
    assert terms(model, PICTURES)["kl"] == pytest.approx(2 * 0.25, rel=1e-5)


def test_iwae_of_one_sample_is_a_vae():
    vae, iwae = built(), built("iwae", samples=1)
    found = terms(vae, PICTURES)
    # one draw of the closed-form KL, so of like moments the two agree on average only
    mean, log_var = (
        ops.convert_to_numpy(m) for m in vae.networks["encoder"](ops.convert_to_tensor(PICTURES))
    )
    z = mean + np.exp(0.5 * log_var) * noise(3, 2)
    drawn = log_normal(z, mean, log_var) - log_normal(z, 0.0, 0.0 * z)
    [bound] = terms(iwae, PICTURES).values()
    np.testing.assert_allclose(bound, found["reconstruction"] + drawn, rtol=1e-5)


def test_iwae_averages_weights_rather_than_their_logarithms():
    """Decoded, z is the mean of x; q = N(0, 1) = p, so log w_i = log N(x; z_i, exp(0.2))."""
    model = built("iwae", samples=3, shape=(2,), latent_dim=1, units=(), likelihood="normal")
    for new, old in zip(model.weights, linear().weights, strict=True):
        new.assign(old)
    constant(model.networks["encoder"], 0.0, 0.0)
    z = noise(3, 3)  # three draws an example
    log_weights = np.stack([log_normal(POINTS, z[:, [k]], 0.2) for k in range(3)], axis=1)
    [bound] = terms(model, POINTS).values()
    np.testing.assert_allclose(bound, -np.log(np.exp(log_weights).mean(axis=1)), rtol=1e-5)


def test_mmd_compares_the_codes_with_draws_from_the_prior():
    model = constants(built("mmd_vae"), (3.0, -50.0), 0.0)  # every code is (3, 3)
    found = terms(model, PICTURES)
    prior = noise(3, 2, draws=2)

    def kernel(a, b):
        return 4 / (4 + np.square(a[:, None] - b[None]).sum(axis=2))

    others = ~np.eye(3, dtype=bool)
    expected = (
        1 + kernel(prior, prior)[others].mean() - 2 * kernel(np.full((3, 2), 3.0), prior).mean()
    )
    assert found["mmd"] == pytest.approx(expected, rel=1e-4)
    weights = model.plugin.weights()["autoencoder"]
    assert weights["kl"] == 0 and weights["mmd"] > 0


def test_total_correlation_is_that_of_the_paper_and_comes_on_top_of_the_kl():
    model = constants(built("beta_tc_vae", dataset_size=10), (0.5, -1.0), 0.0)
    found = terms(model, PICTURES)
    z = 0.5 + math.exp(-0.5) * noise(3, 2)
    # all posteriors are the same, so log q(z) = log N(z) + log 3 - log(3 * 10), each z_j likewise
    log_q = log_normal(z, 0.5, np.full_like(z, -1.0)) - math.log(10)
    of_each = [log_normal(z[:, [j]], 0.5, np.full((3, 1), -1.0)) - math.log(10) for j in (0, 1)]
    np.testing.assert_allclose(found["total_correlation"], log_q - sum(of_each), rtol=1e-4)
    np.testing.assert_allclose(
        found["kl"], terms(constants(built(), (0.5, -1.0), 0.0), PICTURES)["kl"]
    )


def test_the_size_of_the_data_shifts_the_total_correlation_and_no_more():
    found = [
        terms(built("beta_tc_vae", dataset_size=n), PICTURES)["total_correlation"]
        for n in (3, 3000)
    ]
    np.testing.assert_allclose(found[1] - found[0], math.log(1000), rtol=1e-4)  # (d - 1) log N


def test_a_schedule_weighs_the_kl_by_the_step():
    model = zoo.build(
        zoo.model("vae", latent_dim=2, units=(8,)),
        zoo.DataSpec((8, 8, 1)),
        weights={"autoencoder": {"kl": schedules.WarmUp(steps=4)}},
    )
    model.compile(optimizers={"autoencoder": keras.optimizers.SGD(0.01)})
    for step in range(6):
        logs = model.train_on_batch(PICTURES, return_dict=True)
        weight = min(step / 4, 1.0)
        assert logs["loss"] == pytest.approx(
            logs["autoencoder/reconstruction"] + weight * logs["autoencoder/kl"], rel=1e-5
        )


# --- settings


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("vae", {"likelihood": "nomal"}, "did you mean 'normal'"),
        ("free_bits_vae", {"free_bits": -1.0}, "free_bits is at least 0"),
        ("iwae", {"samples": 0}, "samples is an integer, from 1 to 1,000,000"),
    ],
)
def test_wrong_settings_are_refused(name, settings, message):
    with pytest.raises(ZooError, match=message):
        zoo.model(name, **settings)


def test_levels_are_those_of_pictures():
    with pytest.raises(ZooError, match="discretized_logistic"):
        built(shape=(2,), likelihood="discretized_logistic")


@pytest.mark.parametrize("name", ["vae", "free_bits_vae", "iwae", "mmd_vae", "beta_tc_vae"])
def test_a_variant_is_described_by_its_own_name(name):
    plugin = zoo.model(name, likelihood="normal", conditional=True)
    described = json.loads(json.dumps(serialization.settings_of(plugin, "models")))
    assert described["name"] == name


@pytest.mark.parametrize("name", ["bernoulli", "normal", "discretized_logistic"])
def test_every_likelihood_can_be_measured(name):
    assert built(likelihood=name).can("log_likelihood")


def test_convolutions_have_filters_of_their_own():
    units = [
        layer.filters
        for layer in built(convolutional=True).networks["encoder"].layers
        if hasattr(layer, "filters")
    ]
    assert units == [32, 64]
