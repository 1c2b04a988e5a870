"""Terms of losses against values worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from keras import ops

from zoo import losses
from zoo.errors import ZooError

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


def test_gaussian():
    x, mean = array([1, 2], [0, 0]), array([1, 0], [0, 0])
    log_2_pi = math.log(2 * math.pi)
    np.testing.assert_allclose(numpy(losses.gaussian(x, mean)), [log_2_pi + 2, log_2_pi], rtol=1e-6)
    # variance 4: half of log 4 more a number, a quarter of the square
    log_var = array([math.log(4)] * 2)
    np.testing.assert_allclose(
        numpy(losses.gaussian(x, mean, log_var)),
        [log_2_pi + math.log(4) + 0.5, log_2_pi + math.log(4)],
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        numpy(losses.gaussian(x, mean, math.log(4))),
        numpy(losses.gaussian(x, mean, log_var)),
        rtol=1e-6,
    )


def test_kl_standard_normal():
    mean, log_var = array([0, 0], [1, 2], [0, 0]), array([0, 0], [0, 0], [math.log(4), 0])
    expected = [0, 2.5, 0.5 * (4 - 1 - math.log(4))]
    np.testing.assert_allclose(
        numpy(losses.kl_standard_normal(mean, log_var)), expected, rtol=1e-6, atol=1e-7
    )


def test_the_kl_is_what_the_two_densities_say():
    """KL = E_q[log q - log p], by 20,000 draws."""
    rng = np.random.default_rng(0)
    mean, log_var = 0.7, -0.5
    z = (mean + math.exp(log_var / 2) * rng.standard_normal((20000, 1))).astype("float32")
    m, v = np.full_like(z, mean), np.full_like(z, log_var)
    drawn = numpy(losses.gaussian(z, np.zeros_like(z))) - numpy(losses.gaussian(z, m, v))
    exact = float(numpy(losses.kl_standard_normal(array([mean]), array([log_var])))[0])
    assert drawn.mean() == pytest.approx(exact, abs=0.03)


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: losses.bernoulli(x, x),
        lambda x: losses.gaussian(x, x),
        lambda x: losses.kl_standard_normal(x, x),
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
    assert repr(losses.hinge) == "zoo.losses.hinge"
    for name in ADVERSARIAL:
        assert losses.adversarial(name).__doc__


def test_an_unknown_adversarial_loss_suggests_the_nearest():
    with pytest.raises(ZooError, match=r"'hing'; did you mean 'hinge'\? Accepted: hinge, least"):
        losses.adversarial("hing")
