"""TensorFlow lets go of the graphs of steps, so that trainings in one process do not add up."""

from __future__ import annotations

import gc

import keras
import numpy as np
import pytest

import zoo
from zoo.engine import accelerate

if keras.backend.backend() != "tensorflow":
    pytest.skip("of the TensorFlow backend", allow_module_level=True)

import tensorflow as tf

pytestmark = pytest.mark.usefixtures("accelerated")
SPEC = zoo.DataSpec((8, 8, 1))
PICTURES = np.zeros((8, 8, 8, 1), "uint8")


def graphs() -> int:
    """How many graphs of functions the process holds."""
    gc.collect()
    return sum(type(each).__name__ == "FuncGraph" for each in gc.get_objects())


def train() -> None:
    """Build, train and sample a model whose activations have gradients of their own."""
    model = zoo.build(zoo.model("vae", latent_dim=2, units=(4,), activation="silu"), SPEC)
    model.compile(optimizer="adam")
    model.fit(PICTURES, batch_size=4, verbose=0)
    model.sample(2)


def test_no_graph_outlives_its_model():
    train()
    before = graphs()
    for _ in range(2):
        train()
    assert graphs() == before


def test_without_it_some_do():
    accelerate.undo()
    tf.function(lambda x: keras.ops.silu(x))(tf.ones(3))
    before = graphs()
    tf.function(lambda x: keras.ops.silu(x))(tf.ones(3))
    assert graphs() > before  # if not, TensorFlow has mended it: take the entry out


def test_gradients_stay_as_they_are():
    @tf.custom_gradient
    def doubled(x):  # whose gradient is not that of its value
        return x, lambda upstream: 2 * upstream

    @tf.function
    def inner(x):
        return doubled(x) * x

    @tf.function
    def outer(x):
        with tf.GradientTape() as second:
            second.watch(x)
            with tf.GradientTape() as first:
                first.watch(x)
                y = inner(x)
            gradient = first.gradient(y, x)
        return gradient, second.gradient(gradient, x)

    for _ in range(2):
        gradient, second = outer(tf.constant(3.0))
        assert (float(gradient), float(second)) == (9.0, 4.0)
    with tf.GradientTape() as tape:  # of a graph that was made before
        x = tf.Variable(5.0)
        y = inner(x)
    assert float(tape.gradient(y, x)) == 15.0
