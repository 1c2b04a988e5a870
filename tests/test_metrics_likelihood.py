"""Metrics of likelihood and rate, against a model whose likelihood is known exactly."""

from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest

import zoo
from zoo import metrics
from zoo.datasets import Data, Split
from zoo.errors import ZooError
from zoo.metrics import evaluate
from zoo.plugin.metric import NotFinite

# Probabilistic PCA (Tipping & Bishop 1999): x = W z + b + noise of variance 0.3, which is a VAE
# with linear networks. The columns of W are not orthogonal, so no posterior of independent
# dimensions is the true one, and the bound is not tight for few samples.
LOADINGS = np.array([[1.0, 0.5], [-0.4, 1.0], [0.3, 0.8], [0.9, -0.2]])
OFFSET = np.array([0.5, -1.0, 0.0, 2.0])
VARIANCE = 0.3
COVARIANCE = LOADINGS @ LOADINGS.T + VARIANCE * np.eye(4)
INVERSE_M = np.linalg.inv(LOADINGS.T @ LOADINGS + VARIANCE * np.eye(2))
Q_VARIANCE = np.array([0.25, 0.15])


@pytest.fixture(scope="module")
def model():
    vae = zoo.model("vae", latent_dim=2, units=(), likelihood="normal")
    built = zoo.build(vae, zoo.DataSpec((4,)))
    to_mean = LOADINGS @ INVERSE_M  # of the true posterior
    set_dense(built.networks["encoder"], to_mean, -OFFSET @ to_mean, np.log(Q_VARIANCE))
    set_dense(built.networks["decoder"], LOADINGS.T, OFFSET, np.full(4, math.log(VARIANCE)))
    return built


def set_dense(network, kernel, bias, log_var):
    """Have a network give a linear mean and a constant log variance."""
    mean, constant = (layer for layer in network.layers if layer.weights)
    mean.set_weights([kernel, bias])
    constant.set_weights([np.zeros(kernel.shape), log_var])


def examples(n, seed=0):
    rng = np.random.RandomState(seed)
    return rng.multivariate_normal(OFFSET, COVARIANCE, n).astype("float32")


def data(x, **options):
    test = Split(np.asarray(x))
    return Data("made", zoo.DataSpec(test.x.shape[1:]), test, test, test, **options)


def log_density(x):
    """log N(x; b, W W^T + 0.3 I)."""
    shifted = x.astype("float64") - OFFSET
    square = np.einsum("ni,ij,nj->n", shifted, np.linalg.inv(COVARIANCE), shifted)
    return -0.5 * (square + np.linalg.slogdet(2 * math.pi * COVARIANCE)[1])


def exact_kl(x):
    """KL(q(z|x) || N(0, I)) of each dimension, ``(n, d)``."""
    mean = (x - OFFSET) @ LOADINGS @ INVERSE_M
    return 0.5 * (mean**2 + Q_VARIANCE - 1 - np.log(Q_VARIANCE))


def exact_distortion(x):
    """-E_q log p(x|z), ``(n,)``."""
    rest = x - OFFSET - (x - OFFSET) @ LOADINGS @ INVERSE_M @ LOADINGS.T
    spread = (Q_VARIANCE * (LOADINGS**2).sum(axis=0)).sum()
    return 0.5 * (4 * math.log(2 * math.pi * VARIANCE) + ((rest**2).sum(1) + spread) / VARIANCE)


def test_the_bound_of_5000_samples_is_the_exact_likelihood(model):
    x = examples(8)
    exact = float(log_density(x).mean())
    found = metrics.LogLikelihood(samples=5000).measure(model, data(x), 0)
    assert abs(found.value - exact) < 0.05
    one = metrics.ELBO().measure(model, data(x), 0)
    gap = (exact_distortion(x) + exact_kl(x).sum(axis=1)).mean() + exact
    assert gap > 0.1 and one.value < found.value  # else any bound would do
    error = np.std(log_density(x), ddof=1) / math.sqrt(8)
    assert found.details["standard_error"] == pytest.approx(error, rel=0.02)


def test_the_standard_error_of_one_example_is_0(model):
    found = metrics.LogLikelihood(samples=3).measure(model, data(examples(1)), 0)
    assert found.details == {"standard_error": 0.0}


def test_bits_per_dimension_of_a_density(model):
    x = examples(8)
    metric = metrics.BitsPerDimension(samples=1000)
    evaluate.refuse_unmeasurable([metric], model, data(x))
    found = metric.measure(model, data(x), 0)
    assert found.value == pytest.approx(-log_density(x).mean() / 4 / math.log(2), abs=0.03)
    assert found.unit == "bits per dimension" and "a density of real numbers" in found.protocol


def test_rate_and_distortion_are_the_parts_of_the_elbo(model):
    x = examples(4000)
    found = metrics.RateDistortion().measure(model, data(x), 0)
    rate, distortion = found.details["rate"], found.details["distortion"]
    assert rate == pytest.approx(exact_kl(x).sum(axis=1).mean(), rel=1e-5)
    error = found.details["distortion_standard_error"]
    assert abs(distortion - exact_distortion(x).mean()) < 4 * error < 0.3
    assert found.value == pytest.approx(-metrics.ELBO().measure(model, data(x), 0).value, rel=1e-9)
    assert found.value == rate + distortion


def test_active_units_and_the_kl_of_each(model):
    x = examples(500)
    found = metrics.ActiveUnits().measure(model, data(x), 0)
    assert (found.value, found.unit) == (2, "of 2 dimensions")
    kl = exact_kl(x).mean(axis=0)
    assert [found.details["kl_0"], found.details["kl_1"]] == pytest.approx(list(kl), rel=1e-4)
    alike = metrics.ActiveUnits().measure(model, data(np.repeat(x[:1], 5, axis=0)), 0)
    assert alike.value == 0
    broken = SimpleNamespace(posterior=lambda x, seed, labels: {"mean": np.full((5, 2), np.nan)})
    with pytest.raises(NotFinite, match="5 of 5 posterior means are not finite"):
        metrics.ActiveUnits().measure(broken, data(x[:5]), 0)


def test_the_aggregate_posterior_of_the_true_model_is_nearly_the_prior(model):
    # of the true posterior it would be the prior; this one is narrower in one dimension
    x = examples(4000)
    found = metrics.AggregatePosterior().measure(model, data(x), 0)
    assert found.details["floor"] == pytest.approx(0.0194, abs=1e-3)
    assert found.value < 4 * found.details["floor"]
    assert found.value == pytest.approx((found.details["z0"] + found.details["z1"]) / 2)
    shifted = metrics.AggregatePosterior().measure(model, data(x + 4), 0)
    assert shifted.value > 0.3 and shifted.details["largest"] <= 1


def test_the_aggregate_posterior_is_compared_with_the_prior_and_not_with_a_fitted_sampler(model):
    x = examples(500)
    before = metrics.AggregatePosterior().measure(model, data(x + 4), 0)
    codes = model.encode(x + 4)
    model.sampler = SimpleNamespace(draw=lambda n, seed, labels, first=0: codes[:n])
    try:
        assert (model.draw(500) == codes).all()
        assert metrics.AggregatePosterior().measure(model, data(x + 4), 0) == before
    finally:
        model.sampler = None


def test_what_a_likelihood_is_of_is_in_the_protocol(model):
    density = ", a density of real numbers in their own unit"
    for metric in (metrics.ELBO(), metrics.LogLikelihood(samples=2), metrics.RateDistortion()):
        assert (
            f"20 test examples{density}, " in metric.measure(model, data(examples(20)), 0).protocol
        )
    given = zoo.build(
        zoo.model("vae", latent_dim=2, units=(), conditional=True), zoo.DataSpec((4,), 2)
    )
    labelled = data(np.zeros((3, 4), "float32"))
    labelled = dataclasses.replace(
        labelled, spec=zoo.DataSpec((4,), 2), test=Split(labelled.test.x, np.array([0, 1, 0]))
    )
    assert "given the label, 1 draw" in metrics.ELBO().measure(given, labelled, 0).protocol


def test_the_posterior_is_that_of_the_networks(model):
    x = examples(300)  # more than one chunk
    found = model.posterior(x, seed=3)
    np.testing.assert_allclose(found["mean"], model.encode(x), rtol=1e-6)
    deviations = (found["draw"] - found["mean"]).std(axis=0)
    np.testing.assert_allclose(deviations, np.sqrt(Q_VARIANCE), rtol=0.15)
    np.testing.assert_allclose(found["kl"], exact_kl(x), rtol=1e-4, atol=1e-5)
    first = model.posterior(x[:7], seed=3)["draw"]
    np.testing.assert_allclose(found["draw"][:7], first, rtol=1e-5)


# --- which likelihoods have bits


def vae(likelihood, shape=(8, 8, 1)):
    plugin = zoo.model("vae", latent_dim=2, units=(4,), likelihood=likelihood)
    return zoo.build(plugin, zoo.DataSpec(shape))


def grey(n=4):
    return np.random.RandomState(0).randint(0, 256, (n, 8, 8, 1)).astype("uint8")


def refused(model, given, metric=metrics.BitsPerDimension()):
    with pytest.raises(ZooError) as error:
        evaluate.refuse_unmeasurable([metric], model, given)
    return str(error.value)


@pytest.mark.once_in_short
def test_bits_are_of_the_data_as_they_are():
    assert "is of 0 and 1, so it needs examples of 0 and 1" in refused(
        vae("bernoulli"), data(grey())
    )
    assert "discretized_logistic" in refused(vae("normal"), data(grey()))
    binary = data((grey() > 99).astype("uint8") * 255)
    evaluate.refuse_unmeasurable([metrics.BitsPerDimension()], vae("bernoulli"), binary)
    evaluate.refuse_unmeasurable([metrics.BitsPerDimension()], vae("discretized_logistic"), binary)


@pytest.mark.once_in_short
def test_bits_of_256_levels_need_no_constant():
    # a scale so large that every level has almost the same probability takes 8 bits
    model = vae("discretized_logistic")
    [scale] = model.networks["decoder"].get_layer("log_scale").weights
    scale.assign(np.log(30.0))
    x = grey().clip(1, 254)  # the ends take all that is beyond
    found = metrics.BitsPerDimension(samples=2).measure(model, data(x), 0)
    each = np.log2(4 * 30.0 * 255)  # of a logistic density at its middle, 1 / (4 s)
    assert found.value == pytest.approx(each, abs=0.01)


@pytest.mark.once_in_short
def test_a_model_has_to_say_what_its_likelihood_is_of():
    model = vae("bernoulli")
    model.plugin = type("Silent", (), {"likelihood_support": "", "conditional": False})()
    model.able = lambda sampler=False: ["log_likelihood"]
    assert "likelihood_support = 'levels', 'binary', 'real'" in refused(model, data(grey()))


@pytest.mark.once_in_short
def test_rates_need_a_prior():
    class Without(type(zoo.model("vae"))):
        def can(self, ability):
            return ability != "latent" and super().can(ability)

    model = vae("bernoulli")
    model.plugin = Without(latent_dim=2, units=(4,))
    for metric in (metrics.RateDistortion(), metrics.AggregatePosterior()):
        assert "needs a prior" in refused(model, data(grey()), metric)
