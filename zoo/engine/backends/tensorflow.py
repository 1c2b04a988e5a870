"""Moves on TensorFlow: one persistent tape a move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tensorflow as tf
from keras import ops

from zoo.engine import accelerate
from zoo.runtime.keras_compat import pure

if TYPE_CHECKING:
    from zoo.training.chunks import Chunks

draws_on_host = False


def device() -> str:
    """``"gpu"`` or ``"cpu"``: where this backend computes."""
    return "gpu" if tf.config.list_physical_devices("GPU") else "cpu"


def makes_chunks() -> bool:
    """Whether steps are made in chunks: to start one takes a millisecond or two."""
    return True


def call(network, inputs, *args, **kwargs):
    """``network(inputs, *args, **kwargs)``, as a loss has it computed."""
    return network(inputs, *args, **kwargs)


def gradients(forward, groups):
    """One forward pass, one gradient a player; see ``zoo.engine.backends.jax.gradients``."""
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


def prepare(optimizer):
    """Make ready an optimizer that is about to train."""
    adam = accelerate.module("tensorflow_adam")
    if adam is not None:
        adam.fuse(optimizer)


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
    """The steps that Keras's TensorFlow trainer traces.

    Attributes:
        chunks: what ``fit`` is given, where it makes several steps in one go: the logs then hold
            a value for each step, ``(steps,)``. None where an item of the data is a batch.
    """

    chunks: Chunks | None = None

    def train_step(self, data):
        return self.make_moves(data)

    def test_step(self, data):
        return self.evaluate_moves(data)

    def make_train_function(self, force=False):
        if self.chunks is None:
            super().make_train_function(force)  # type: ignore[misc]  # of Keras's trainer
            return
        step, names, rows = self.train_step, self.metrics_names, self.chunks.rows
        if self.jit_compile:
            step = tf.function(step, jit_compile=True)

        def logged(batch):
            own = step(batch)
            return tf.stack([own[name] for name in names])

        def steps(*data):
            number = tf.shape(data[0])[0] // rows
            logs = tf.TensorArray("float32", number, element_shape=(len(names),))

            def one(i, logs):
                found = (part[i * rows : (i + 1) * rows] for part in data)
                # of shapes that it knows, TensorFlow makes faster programs
                batch = tuple(tf.ensure_shape(x, (rows, *x.shape[1:])) for x in found)
                return i + 1, logs.write(i, logged(batch))

            def more(i, logs):
                return i < number

            return tf.while_loop(more, one, (0, logs), parallel_iterations=1)[1].stack()

        def short(*data):
            return logged(data)[None]

        if not self.run_eagerly:
            signature = [tf.TensorSpec(shape, dtype) for shape, dtype in self.chunks.parts]
            steps = tf.function(steps, input_signature=signature, autograph=False)
            short = tf.function(short, autograph=False)

        def function(iterator):
            data = next(iterator)
            whole = len(data[0]) >= rows  # the last batch of an epoch may be short
            if whole and not accelerate.on("tensorflow_chunk_program"):
                starts = range(0, len(data[0]), rows)
                batches = [[part[i : i + rows] for part in data] for i in starts]
                logs = tf.concat([short(*batch) for batch in batches], 0).numpy()
            else:
                logs = (steps if whole else short)(*data).numpy()
            return {name: logs[:, i] for i, name in enumerate(names)}

        self.train_function = function
