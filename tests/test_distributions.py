"""Distributions: densities worked out by hand, samples that follow them, settings."""

from __future__ import annotations

import math

import numpy as np
import pytest
from keras import ops

import zoo
from zoo.config import overrides
from zoo.errors import ZooError
from zoo.nn import distributions as d
from zoo.random import Generator

PRIORS = [
    d.StandardNormal(3),
    d.Uniform(3, -2.0, 1.0),
    d.NormalMixture(3, components=2, radius=1.0),
]


def numpy(x):
    return ops.convert_to_numpy(x)


def tensor(*rows):
    return ops.convert_to_tensor(np.array(rows, "float32"))


def test_densities_by_hand():
    x = tensor([0.0, 1.0])
    half = math.log(2 * math.pi) / 2
    assert numpy(d.StandardNormal(2).log_prob(x)) == pytest.approx([-2 * half - 0.5])
    normal = d.Normal(tensor([0.0, 0.0]), tensor([0.0, math.log(4)]))
    assert numpy(normal.log_prob(x)) == pytest.approx([-2 * half - math.log(2) - 1 / 8])
    assert numpy(d.Bernoulli(tensor([0.0, 0.0])).log_prob(x)) == pytest.approx([-2 * math.log(2)])
    uniform = d.Uniform(2, -1.0, 3.0)
    assert numpy(uniform.log_prob(tensor([0.0, 1.0], [0.0, 4.0]))) == pytest.approx(
        [-2 * math.log(4), -math.inf]
    )
    mixture = d.NormalMixture(2, components=2, radius=3.0)
    near = -2 * half + math.log(0.5 * math.exp(-0.0) + 0.5 * math.exp(-9.0))
    assert numpy(mixture.log_prob(tensor([3.0, 0.0]))) == pytest.approx([near], rel=1e-6)


def test_kl_by_hand():
    q = d.Normal(tensor([1.0, 0.0]), tensor([0.0, math.log(4)]))
    each = [0.5, 0.5 * (4 - 1 - math.log(4))]
    assert numpy(q.kl_per_dimension(d.StandardNormal(2)))[0] == pytest.approx(each)
    assert numpy(q.kl(d.StandardNormal(2))) == pytest.approx([sum(each)])
    with pytest.raises(ZooError, match=r"not for Uniform: take q\.log_prob"):
        q.kl(d.Uniform(2))
    # log(s2 / s1) + (s1^2 + (m1 - m2)^2) / (2 s2^2) - 1 / 2, of N(1, 1) from N(3, 4) and
    # of N(0, 4) from N(0, 1)
    p = d.Normal(tensor([3.0, 0.0]), tensor([math.log(4), 0.0]))
    each = [math.log(2) + 5 / 8 - 0.5, -math.log(2) + 2 - 0.5]
    assert numpy(q.kl_per_dimension(p))[0] == pytest.approx(each)
    assert numpy(q.kl(p)) == pytest.approx([sum(each)])
    assert numpy(q.repeated(2).kl(p)) == pytest.approx([sum(each)] * 2)  # one row for all
    assert numpy(q.kl(q)) == pytest.approx([0.0], abs=1e-6)


def test_a_mixture_of_given_normals_by_hand():
    """N(0, 1) and N(3, 4), at 1: densities exp(-1/2) / c and exp(-1/2) / 2c, c = sqrt(2 pi)."""
    normals = d.Normal(tensor([0.0], [3.0]), tensor([0.0], [math.log(4)]))
    density = math.exp(-0.5) / math.sqrt(2 * math.pi)
    equal, weighted = d.Mixture(normals), d.Mixture(normals, tensor(0.0, math.log(3)))
    x = tensor([1.0], [1.0], [1.0])
    assert numpy(equal.log_prob(x)) == pytest.approx([math.log(0.75 * density)] * 3)
    assert numpy(weighted.log_prob(x)) == pytest.approx([math.log(0.625 * density)] * 3)
    assert equal.shape == (1,)
    far = d.Mixture(d.Normal(tensor([0.0], [1e3]), tensor([0.0], [0.0])))
    assert np.isfinite(numpy(far.log_prob(tensor([500.0])))).all()


@pytest.mark.parametrize("logits", [None, (0.0, math.log(3))], ids=["equal", "weighted"])
def test_samples_of_a_mixture_follow_its_weights(logits):
    normals = d.Normal(tensor([0.0, 0.0], [9.0, 9.0]), tensor([0.0, 0.0], [0.0, 0.0]))
    mixture = d.Mixture(normals, logits if logits is None else tensor(*logits))
    z = numpy(mixture.sample(Generator(0, "test"), 4000))
    assert z.shape == (4000, 2)
    second = z.mean(axis=1) > 4.5
    assert second.mean() == pytest.approx(0.5 if logits is None else 0.75, abs=0.03)
    for part, mean in ((~second, 0.0), (second, 9.0)):
        np.testing.assert_allclose(z[part].mean(axis=0), mean, atol=0.15)
        np.testing.assert_allclose(z[part].std(axis=0), 1, atol=0.1)
    few = numpy(mixture.sample(Generator(0, "test"), 5))
    np.testing.assert_allclose(few, z[:5], rtol=1e-5)  # keyed by the row


@pytest.mark.parametrize("prior", PRIORS, ids=repr)
def test_samples_follow_the_density(prior):
    z = prior.sample(Generator(0, "test"), 20_000)
    assert tuple(z.shape) == (20_000, *prior.shape)
    # E[p0(z) / p(z)] is 1 for any density p0 within the support of p
    within = d.Uniform(3, -0.5, 0.5)
    ratio = numpy(ops.exp(within.log_prob(z) - prior.log_prob(z)))
    assert abs(ratio.mean() - 1) < 5 * ratio.std() / math.sqrt(len(ratio))


def test_a_mixture_lies_around_its_means():
    z = numpy(d.NormalMixture(5, components=3).sample(Generator(0, "test"), 3000))
    component = z[:, :3].argmax(axis=1)
    assert np.bincount(component).min() > 900
    rest = z - 4.0 * np.eye(5)[component]
    np.testing.assert_allclose(rest.mean(axis=0), 0, atol=0.1)
    np.testing.assert_allclose(rest.std(axis=0), 1, atol=0.1)


@pytest.mark.parametrize(
    "rows, stddev",
    [
        (d.Bernoulli(ops.zeros((4000, 2)) + 1.0), math.sqrt(0.7311 * 0.2689)),
        (d.Normal(ops.ones((4000, 2)), ops.zeros((4000, 2))), 1.0),
        (d.DiscretizedLogistic(ops.zeros((4000, 2)) + 0.5, ops.zeros((4000, 2)) - 3.0), 0.0903),
    ],
    ids=["bernoulli", "normal", "discretized_logistic"],
)
def test_samples_of_rows_have_their_mean_and_deviation(rows, stddev):
    x = numpy(rows.sample(Generator(0, "test")))
    assert x.shape == (4000, *rows.shape)
    np.testing.assert_allclose(x.mean(axis=0), numpy(rows.mean)[0], atol=4 * stddev / 60)
    np.testing.assert_allclose(x.std(axis=0), stddev, rtol=0.05)


def test_several_samples_of_a_row_are_neighbours_and_keyed_by_it():
    q = d.Normal(tensor([0.0], [100.0]), tensor([0.0], [0.0]))
    z = numpy(q.samples(Generator(0, "test"), 3))[:, 0]
    assert (z[:3] < 50).all() and (z[3:] > 50).all()
    first = d.Normal(tensor([0.0]), tensor([0.0])).samples(Generator(0, "test"), 3)
    np.testing.assert_array_equal(numpy(first)[:, 0], z[:3])
    assert numpy(q.repeated(3).mean)[:, 0].tolist() == [0, 0, 0, 100, 100, 100]


def test_a_likelihood_says_what_it_needs():
    assert d.likelihood("bernoulli").parameters((8, 8, 1)) == {"logits": (8, 8, 1)}
    shared = d.likelihood("normal").parameters((8, 8, 1), shared_scale=True)
    assert shared == {"mean": (8, 8, 1), "log_var": ()}
    with pytest.raises(ZooError, match="did you mean 'bernoulli'"):
        d.likelihood("bernouli")


@pytest.mark.parametrize("prior", PRIORS, ids=repr)
def test_a_prior_is_a_setting_that_survives_json(prior):
    from zoo.plugin.serialization import settings_of

    told = settings_of(zoo.model("gan", prior=prior), "models")["settings"]
    assert zoo.model("gan", **told).prior == prior


def test_a_prior_is_set_on_the_command_line():
    recipe = zoo.Recipe(
        zoo.model("gan"), zoo.datasets.Digits(), {"generator": "adam", "discriminator": "adam"}, 1
    )

    def changed(text):
        return overrides.override(recipe, [text]).model.prior

    assert changed("model.prior=NormalMixture(16, components=4)") == d.NormalMixture(16, 4)
    assert changed("model.prior=distributions.Uniform(2)") == d.Uniform(2)
    assert changed("model.prior.dimension=8") == d.StandardNormal(8)
    for text, message in [
        ("model.prior=Unifrom(2)", "unknown part 'Unifrom'; did you mean 'Uniform'"),
        ("model.prior=Uniform(2, lo=1)", "unknown setting 'lo'"),
        ("model.prior=Uniform", "dimension"),
        ("model.prior=3", r"written as in a recipe, NAME\(setting=value\)"),
        ("model.prior=Uniform(__import__('os'))", "written as in a recipe"),
        ("model.prior=NormalMixture(2, components=3)", "components is an integer, from 1 to 2"),
    ]:
        with pytest.raises(ZooError, match=message):
            changed(text)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: d.StandardNormal(0), "dimension is an integer, at least 1"),
        (lambda: d.Uniform(2, 1.0, 1.0), "is not below high"),
        (lambda: d.NormalMixture(2, components=3), "from 1 to 2; got 3"),
    ],
)
def test_a_prior_is_checked(make, message):
    with pytest.raises(ZooError, match=message):
        make()
