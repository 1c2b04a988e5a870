"""Terms of losses against values worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from keras import ops

import zoo
from zoo.errors import ZooError
from zoo.nn import losses

LOG2 = math.log(2)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def array(*rows):
    return ops.convert_to_tensor(np.array(rows, "float32"))


def test_bernoulli():
    # p = 1/2, 1/2; then p = 3/4 and 1/5 of x = 1 and 0
    logits = array([0, 0], [math.log(3), -math.log(4)])
    x = array([1, 0], [1, 0])
    expected = [2 * LOG2, -math.log(3 / 4) - math.log(4 / 5)]
    np.testing.assert_allclose(numpy(losses.bernoulli(x, logits)), expected, rtol=1e-6)


def test_bernoulli_of_gray_and_of_far_logits():
    half = losses.bernoulli(array([0.5]), array([0]))
    np.testing.assert_allclose(numpy(half), [LOG2], rtol=1e-6)
    far = losses.bernoulli(array([1], [0], [0]), array([200], [-200], [200]))
    np.testing.assert_allclose(numpy(far), [0, 0, 200], atol=1e-6)


def test_normal():
    x, mean = array([1, 2], [0, 0]), array([1, 0], [0, 0])
    log_2_pi = math.log(2 * math.pi)
    np.testing.assert_allclose(numpy(losses.normal(x, mean)), [log_2_pi + 2, log_2_pi], rtol=1e-6)
    # variance 4: half of log 4 more a number, a quarter of the square
    log_var = array([math.log(4)] * 2)
    np.testing.assert_allclose(
        numpy(losses.normal(x, mean, log_var)),
        [log_2_pi + math.log(4) + 0.5, log_2_pi + math.log(4)],
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        numpy(losses.normal(x, mean, math.log(4))),
        numpy(losses.normal(x, mean, log_var)),
        rtol=1e-6,
    )


def test_kl_standard_normal():
    mean, log_var = array([0, 0], [1, 2], [0, 0]), array([0, 0], [0, 0], [math.log(4), 0])
    expected = [0, 2.5, 0.5 * (4 - 1 - math.log(4))]
    np.testing.assert_allclose(
        numpy(losses.kl_standard_normal(mean, log_var)), expected, rtol=1e-6, atol=1e-7
    )


def test_kl_per_dimension():
    found = losses.kl_per_dimension(array([1, 2]), array([0, math.log(4)]))
    np.testing.assert_allclose(numpy(found), [[0.5, 0.5 * (4 + 4 - 1 - math.log(4))]], rtol=1e-6)


def test_the_kl_is_what_the_two_densities_say():
    """KL = E_q[log q - log p], by 20,000 draws."""
    rng = np.random.default_rng(0)
    mean, log_var = 0.7, -0.5
    z = (mean + math.exp(log_var / 2) * rng.standard_normal((20000, 1))).astype("float32")
    m, v = np.full_like(z, mean), np.full_like(z, log_var)
    drawn = numpy(losses.normal(z, np.zeros_like(z))) - numpy(losses.normal(z, m, v))
    exact = float(numpy(losses.kl_standard_normal(array([mean]), array([log_var])))[0])
    assert drawn.mean() == pytest.approx(exact, abs=0.03)


def test_free_bits():
    """Of means 0.25 and 1.5 over the batch, the first counts as the floor."""
    kl = array([0.5, 1.0], [0.0, 2.0])
    assert float(losses.free_bits(kl, 0.5)) == pytest.approx(2.0)
    assert float(losses.free_bits(kl, 0.0)) == pytest.approx(1.75)
    slope = zoo.gradient(lambda x: losses.free_bits(x, 0.5), kl)
    np.testing.assert_allclose(numpy(slope), [[0, 0.5], [0, 0.5]])


def test_squared_error():
    x, y = array([1, 2], [0, 0]), array([3, 2], [1, -1])
    np.testing.assert_allclose(numpy(losses.squared_error(x, y)), [4, 2])
    # the log-likelihood of variance 1/2, but for its constant
    np.testing.assert_allclose(
        numpy(losses.normal(x, y, math.log(0.5))) - math.log(math.pi), [4, 2], rtol=1e-6
    )


def logistic(levels, mean, scale):
    """The probability of each level, in double precision."""
    cdf = 1 / (1 + np.exp(-((np.arange(1, levels) - 0.5) / (levels - 1) - mean) / scale))
    return np.diff([0, *cdf, 1])


@pytest.mark.parametrize(("mean", "scale"), [(0.3, 0.1), (0.5, 2.0), (-0.2, 0.3), (0.9, 0.02)])
def test_discretized_logistic(mean, scale):
    for levels in (2, 5, 256):
        x = np.linspace(0, 1, levels).astype("float32")[:, None]
        found = numpy(
            losses.discretized_logistic(
                array(*x), array(*np.full_like(x, mean)), math.log(scale), levels
            )
        )
        expected = logistic(levels, mean, scale)
        near = expected > 1e-9  # where differences in double precision are right
        np.testing.assert_allclose(found[near], -np.log(expected[near]), rtol=1e-4, atol=1e-5)
        assert np.exp(-found.astype("float64")).sum() == pytest.approx(1.0, abs=1e-5)


def test_discretized_logistic_of_one_bit_is_by_hand():
    """Levels 0 and 1 part at 1/2: sigmoid((1 - 1/2 - 0) / 1) and what is left."""
    p = 1 / (1 + math.exp(-0.5))
    found = losses.discretized_logistic(array([0, 1]), array([0, 0]), 0.0, levels=2)
    np.testing.assert_allclose(numpy(found), [-math.log(p) - math.log(1 - p)], rtol=1e-6)


def test_discretized_logistic_far_out_is_finite_and_so_is_its_slope():
    """sigmoid(a) - sigmoid(b) is 0 there in float32, and its logarithm is not."""
    x = array([0.0], [100 / 255], [1.0], [100 / 255])
    mean, log_scale = (
        array([5.0], [-5.0], [-5.0], [100 / 255]),
        array([-7.0], [-7.0], [-7.0], [9.0]),
    )

    def loss(parts):
        return losses.discretized_logistic(x, parts[:, :1], parts[:, 1:])

    parts = ops.concatenate([mean, log_scale], axis=1)
    s = math.exp(-7)
    half = 0.5 / 255
    far = [(5 - half) / s, (5 + 100 / 255 - half) / s, (6 - half) / s]
    found = numpy(loss(parts))
    log_within = math.log(1 - math.exp(-2 * half / s))
    # at a wide scale, the density's peak 1 / (4 s) times the width of a level
    expected = [far[0], far[1] - log_within, far[2], 9.0 + math.log(4 * 255)]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert np.isfinite(numpy(zoo.gradient(loss, parts))).all()


def test_total_correlation_by_hand():
    """Two points of one unit-variance dimension, each at its own posterior's mean."""
    z = mean = array([0.0], [2.0])
    found = losses.total_correlation(z, mean, ops.zeros((2, 1)), dataset_size=10)
    log_2_pi = math.log(2 * math.pi)
    log_q = -log_2_pi / 2 + math.log((1 + math.exp(-2)) / 20)
    np.testing.assert_allclose(
        numpy(found.mutual_information), [-log_2_pi / 2 - log_q] * 2, rtol=1e-5
    )
    np.testing.assert_allclose(numpy(found.total_correlation), [0, 0], atol=1e-6)
    log_p = np.array([0.0, -2.0]) - log_2_pi / 2
    np.testing.assert_allclose(numpy(found.dimension_wise_kl), log_q - log_p, rtol=1e-5)


def test_the_three_parts_add_up_to_about_the_kl():
    rng = np.random.default_rng(0)
    mean = rng.standard_normal((500, 3)).astype("float32")
    log_var = np.full_like(mean, -1.0)
    z = (mean + np.exp(-0.5) * rng.standard_normal((500, 3))).astype("float32")
    parts = losses.total_correlation(*map(ops.convert_to_tensor, (z, mean, log_var)), 500)
    kl = numpy(losses.kl_standard_normal(array(*mean), array(*log_var)))
    assert sum(numpy(part) for part in parts).mean() == pytest.approx(kl.mean(), abs=0.2)


def test_total_correlation_tells_dependent_dimensions():
    """Two equal dimensions against two of their own; the estimate's constant is common."""
    rng = np.random.default_rng(0)
    first, second = rng.standard_normal((2, 500, 1)).astype("float32")
    log_var = ops.full((500, 2), -4.0)

    def total(other):
        codes = ops.convert_to_tensor(np.concatenate([first, other], axis=1))
        return numpy(losses.total_correlation(codes, codes, log_var, 500).total_correlation).mean()

    assert total(first) - total(second) > 0.5


KERNELS = {"imq": lambda square: 4 / (4 + square), "gaussian": lambda square: math.exp(-square / 4)}


@pytest.mark.parametrize("kernel", KERNELS)
def test_mmd(kernel):
    """Points of two dimensions, so that C = 2 d = 4: a square of side 1."""
    k = KERNELS[kernel]
    x, y = array([0, 0], [1, 0]), array([0, 1], [1, 1])
    across = (2 * k(1) + 2 * k(2)) / 4
    unbiased = k(1) + k(1) - 2 * across
    biased = 2 * (2 + 2 * k(1)) / 4 - 2 * across
    assert float(losses.mmd(x, y, kernel)) == pytest.approx(unbiased, rel=1e-5)
    assert float(losses.mmd(x, y, kernel, unbiased=False)) == pytest.approx(biased, rel=1e-5)
    assert float(losses.mmd(x, x, kernel, unbiased=False)) == pytest.approx(0, abs=1e-6)
    # samples of two sizes, one of them a single point
    assert float(losses.mmd(x, y[:1], kernel)) == pytest.approx(k(1) - (k(1) + k(2)), rel=1e-5)


def test_mmd_tells_distributions_apart():
    rng = np.random.default_rng(0)
    x, y = (ops.convert_to_tensor(rng.standard_normal((200, 4)).astype("float32")) for _ in "xy")
    same, apart = float(losses.mmd(x, y)), float(losses.mmd(x, y + 1.0))
    assert abs(same) < 0.01 and apart > 0.1


def test_an_unknown_kernel_suggests_the_nearest():
    with pytest.raises(ZooError, match=r"mmd: unknown kernel 'gausian'; did you mean 'gaussian'"):
        losses.mmd(array([0]), array([1]), kernel="gausian")


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: losses.bernoulli(x, x),
        lambda x: losses.normal(x, x),
        lambda x: losses.kl_standard_normal(x, x),
        lambda x: losses.squared_error(x, ops.zeros_like(x)),
        lambda x: losses.discretized_logistic(x, x, -1.0),
        losses.hinge.real,
        losses.wasserstein.generator,
    ],
)
def test_every_term_is_one_number_an_example(loss):
    x = ops.convert_to_tensor(np.random.default_rng(0).random((3, 2, 4, 1), "float32"))
    assert tuple(loss(x).shape) == (3,)
    alone = np.concatenate([numpy(loss(x[i : i + 1])) for i in range(3)])
    np.testing.assert_allclose(numpy(loss(x)), alone, rtol=1e-6)


LOGIT = math.log(3)  # D = 3/4
D = 0.75

ADVERSARIAL = {  # name: real, fake and generator at this logit
    "minimax": (-math.log(D), -math.log(1 - D), math.log(1 - D)),
    "non_saturating": (-math.log(D), -math.log(1 - D), -math.log(D)),
    "least_squares": ((LOGIT - 1) ** 2 / 2, LOGIT**2 / 2, (LOGIT - 1) ** 2 / 2),
    "hinge": (0.0, 1 + LOGIT, -LOGIT),
    "wasserstein": (-LOGIT, LOGIT, -LOGIT),
}


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_adversarial_losses(name):
    loss = losses.adversarial(name)
    found = [numpy(part(array([LOGIT]))) for part in (loss.real, loss.fake, loss.generator)]
    np.testing.assert_allclose(np.ravel(found), ADVERSARIAL[name], rtol=1e-5, atol=1e-7)
    flat = [numpy(part(array(LOGIT, LOGIT))) for part in (loss.real, loss.fake, loss.generator)]
    np.testing.assert_allclose(np.array(flat), np.repeat(found, 2, axis=1), rtol=1e-6)


def test_hinge_is_flat_beyond_its_margin():
    np.testing.assert_allclose(numpy(losses.hinge.real(array([2], [-1]))), [0, 2])
    np.testing.assert_allclose(numpy(losses.hinge.fake(array([-2], [1]))), [0, 2])


def test_a_patch_discriminators_logits_are_averaged():
    logits = array([[1, 3], [5, 7]])
    np.testing.assert_allclose(numpy(losses.wasserstein.fake(logits)), [4])


def test_adversarial_losses_are_named_or_given():
    assert losses.adversarial("hinge") is losses.hinge
    assert losses.adversarial(losses.hinge) is losses.hinge
    assert repr(losses.hinge) == "zoo.nn.losses.hinge"
    for name in ADVERSARIAL:
        assert losses.adversarial(name).__doc__


def test_an_unknown_adversarial_loss_suggests_the_nearest():
    with pytest.raises(ZooError, match=r"'hing'; did you mean 'hinge'\? Accepted: hinge, least"):
        losses.adversarial("hing")
