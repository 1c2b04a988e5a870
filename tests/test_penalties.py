"""Gradient penalties against slopes worked by hand, and inside a loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import keras
import numpy as np
import pytest
from keras import ops

import zoo
from zoo.nn.losses.penalties import gradient_penalty, r1
from zoo.random import Generator


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def array(values):
    return ops.convert_to_tensor(np.array(values, "float32"))


SHAPES = pytest.mark.parametrize("shape", [(2,), (2, 1, 1), (1, 2, 1)], ids=str)
OUTPUTS = pytest.mark.parametrize("outputs", [(-1,), (-1, 1)], ids=["(n,)", "(n, 1)"])


@SHAPES
@OUTPUTS
def test_the_penalty_of_a_linear_critic(shape, outputs):
    """D(x) = 3 x0 + 4 x1 has slope 5 everywhere."""

    def critic(x):
        flat = ops.reshape(x, (-1, 2))
        return ops.reshape(3.0 * flat[:, 0] + 4.0 * flat[:, 1], outputs)

    real, fake = ops.ones((3, *shape)), ops.zeros((3, *shape))
    rng = Generator(0, "test")
    np.testing.assert_allclose(numpy(gradient_penalty(critic, real, fake, rng)), [16.0] * 3)
    np.testing.assert_allclose(
        numpy(gradient_penalty(critic, real, fake, rng, target=0.0)), [25.0] * 3, rtol=1e-6
    )
    np.testing.assert_allclose(numpy(r1(critic, real)), [25.0] * 3)


@SHAPES
def test_the_slope_is_taken_at_one_place_between_for_each_example(shape):
    """D(x) = |x|^2 / 2 has slope x: the penalty gives away where it was taken."""
    real = array(np.full((200, *shape), 3.0))
    fake = array(np.full((200, *shape), 1.0))
    places = []

    def critic(x):
        places.append(x)
        return ops.sum(ops.square(x), axis=tuple(range(1, len(shape) + 1))) / 2.0

    rng = Generator(0, "test")
    found = numpy(gradient_penalty(critic, real, fake, rng))
    norm = np.sqrt(found) + 1.0  # the slope is above 1 everywhere
    share = (norm / np.sqrt(2) - 1.0) / 2.0
    expected = numpy(Generator(0, "test").uniform((200, 1)))[:, 0]
    np.testing.assert_allclose(share, expected, atol=1e-5)
    np.testing.assert_allclose(numpy(r1(critic, real)), [18.0] * 200, rtol=1e-6)


def test_a_critic_without_slope_has_a_penalty_and_no_nan():
    """Also in its gradient, which goes through the root."""
    rng = Generator(0, "test")
    x = array([[1.0, 2.0]])

    def penalty(scale):
        return gradient_penalty(lambda v: scale * ops.sum(v, axis=1), x, 0.0 * x, rng)

    np.testing.assert_allclose(numpy(penalty(array([0.0]))), [1.0], rtol=1e-5)
    assert np.isfinite(numpy(zoo.gradient(penalty, array([0.0])))).all()


@dataclass(frozen=True)
class Critic(zoo.Model):
    """D(x) = w0 x0 + w1 x1 under both penalties alone."""

    value_range: ClassVar = None

    def networks(self, data):
        critic = keras.Sequential([keras.Input(data.shape), keras.layers.Dense(1, use_bias=False)])
        return {"critic": critic}

    def players(self):
        return {"critic": ("critic",)}

    def moves(self):
        return [self.penalize]

    def penalize(self, nets, batch, rng):
        fake = rng.normal(ops.shape(batch.x))
        return {
            "critic": {
                "gradient_penalty": gradient_penalty(nets.critic, batch.x, fake, rng),
                "r1": r1(nets.critic, batch.x),
            }
        }


def test_a_player_moves_down_the_penalties():
    model = zoo.build(Critic(), zoo.DataSpec((2,)), weights={"critic": {"r1": 0.5}})
    model.compile({"critic": keras.optimizers.SGD(0.1)})
    kernel = model.networks["critic"].layers[0].kernel
    kernel.assign([[3.0], [4.0]])
    logs = model.train_on_batch(np.ones((3, 2), "float32"), return_dict=True)
    assert logs["critic/gradient_penalty"] == pytest.approx(16.0, rel=1e-5)
    assert logs["critic/r1"] == pytest.approx(25.0, rel=1e-5)
    # d/dw (|w| - 1)^2 = 2 (|w| - 1) w / |w| = 8 w / 5; d/dw |w|^2 / 2 = w
    expected = np.array([[3.0], [4.0]]) * (1 - 0.1 * (8 / 5 + 1))
    np.testing.assert_allclose(numpy(kernel), expected, rtol=1e-5)
