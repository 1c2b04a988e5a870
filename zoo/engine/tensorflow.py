"""Moves on TensorFlow: one persistent tape a move."""

from __future__ import annotations

import tensorflow as tf
from keras import ops

from zoo.engine.scopes import pure

draws_on_host = False


def device() -> str:
    """``"gpu"`` or ``"cpu"``: where this backend computes."""
    return "gpu" if tf.config.list_physical_devices("GPU") else "cpu"


def gradients(forward, groups):
    """One forward pass, one gradient a player; see ``zoo.engine.jax.gradients``."""
    with tf.GradientTape(persistent=len(groups) > 1, watch_accessed_variables=False) as tape:
        for group in groups.values():
            tape.watch([v.value for v in group])
        (losses, aux), assigned = pure(forward)
    grads = {
        player: tape.gradient(
            losses[player],
            [v.value for v in group],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        for player, group in groups.items()
    }
    return aux, grads, assigned


def apply(optimizer, grads, variables, moves=None):
    """Let the optimizer move the variables, unless the boolean ``moves`` is false."""

    def move():
        optimizer.apply(grads, variables)
        return True

    if moves is None:
        move()
    else:
        tf.cond(tf.cast(moves, tf.bool), move, lambda: False)


def input_gradient(fn, x):
    """Gradient of ``sum(fn(x))``; see ``zoo.gradient``."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        total = ops.sum(fn(x))
    return tape.gradient(total, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def shapes(fn):
    """Evaluate ``fn`` for shapes and dtypes alone; nothing is assigned."""
    return pure(fn)[0]


def compiled(variables, fn):
    """``fn(*arrays)`` compiled, reading the variables' values at each call."""
    # as on JAX: what autograph would make of Python's own statements works there alone
    return tf.function(fn, reduce_retracing=True, autograph=False)


class Trainer:
    """The steps that Keras's TensorFlow trainer traces."""

    def train_step(self, data):
        return self.make_moves(data)

    def test_step(self, data):
        return self.evaluate_moves(data)
