"""Moves on TensorFlow: one persistent tape a move."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import tensorflow as tf
from keras import ops

from zoo.engine import accelerate, distributed
from zoo.engine.accelerate import tensorflow_chunks
from zoo.engine.backends.shared import InPlace
from zoo.engine.backends.shared import Trainer as Trainer
from zoo.random import Share
from zoo.runtime.keras_compat import pure

draws_on_host = False


def device() -> str:
    """``"gpu"`` or ``"cpu"``: where this backend computes."""
    return "gpu" if tf.config.list_physical_devices("GPU") else "cpu"


def gradients(forward, groups, inputs, kept):
    """One forward pass, one gradient per player; see ``zoo.engine.backends.jax.gradients``."""
    with tf.GradientTape(persistent=len(groups) > 1, watch_accessed_variables=False) as tape:
        for group in groups.values():
            tape.watch([v.value for v in group])
        (losses, aux), assigned = pure(lambda: forward(*inputs))
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


class Steps(InPlace):
    """The training steps of a model, many in one call; see ``zoo.engine.backends.jax.Steps``."""

    def __init__(self, model, rows: int, most: int):
        self._model, self._rows = model, rows
        step = model.train_step
        if model.jit_compile and distributed.team is None:  # XLA knows no other processes
            step = tf.function(step, jit_compile=True)

        def values(batch, share=None):
            logs = step(batch, share)
            return tf.stack([logs[name] for name in model.metrics_names])

        self._values = values
        self._step = values if model.run_eagerly else tf.function(values, autograph=False)
        self._programs: dict[Share | None, Callable] = {}

    def start(self, data: tuple, share=None) -> Callable[[], np.ndarray]:
        """Start the steps on a chunk's data; gives a function that gives their logs."""
        rows, terms = self._rows, len(self._model.metrics_names)
        total = len(tf.nest.flatten(data)[0])
        whole = total >= rows  # the last batch of an epoch may be short
        one_program = accelerate.on("tensorflow_chunk_program") and not self._model.run_eagerly
        if whole and one_program:
            if share not in self._programs:
                values = partial(self._values, share=share)
                self._programs[share] = tensorflow_chunks.program(values, rows, terms, data)
            return self._programs[share](*data).numpy

        logs = []
        for start in range(0, total, rows):
            batch = tf.nest.map_structure(lambda part, i=start: part[i : i + rows], data)
            logs.append(self._step(tf.nest.map_structure(tf.convert_to_tensor, batch), share))
        return tf.stack(logs).numpy
