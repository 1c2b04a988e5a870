"""The steps of a chunk as one program on JAX."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from keras import layers

from zoo.engine.distributed import jax as devices

CONVOLUTIONS = (
    layers.Conv1D,
    layers.Conv2D,
    layers.Conv3D,
    layers.Conv1DTranspose,
    layers.Conv2DTranspose,
    layers.Conv3DTranspose,
    layers.DepthwiseConv1D,
    layers.DepthwiseConv2D,
    layers.SeparableConv1D,
    layers.SeparableConv2D,
)


def suits(model) -> bool:
    """Whether a loop over steps is as fast as its steps.

    On a CPU, XLA ran convolutions within a loop several times slower than outside of one, until
    ``jax_convolutions`` put their axes in order; which is faster was not measured since.
    """
    flat = model._flatten_layers(recursive=True)
    convolves = any(isinstance(layer, CONVOLUTIONS) for layer in flat)
    return not convolves or jax.default_backend() != "cpu"


def program(step: Callable, rows: int, most: int, terms: int, compiled: Callable) -> Callable:
    """A function of state and data that makes all steps of a chunk in one program.

    Args:
        step: of state and batch, gives the step's values ``(terms,)`` and the state after it.
        rows: examples of a step.
        most: steps of a chunk, at most.
        terms: how many values a step has.
        compiled: makes a compiled function of one whose first argument is the state.

    Returns:
        A function of state, data, the number of steps and the share of rows that a process has,
        which gives the steps' values, of which the first ``number`` count, and the state
        afterwards.
    """
    most = max(most, 2)  # XLA makes another program of a loop over one batch

    def loop(state, data, number):
        def one(i, carried):
            state, logs = carried
            batch = jax.tree.map(lambda x: x[i], data)
            values, after = step(state, batch)
            after = jax.tree.map(lambda new, old: new.astype(old.dtype), after, state)
            return after, logs.at[i].set(values)

        state, logs = jax.lax.fori_loop(0, number, one, (state, jnp.zeros((most, terms))))
        return logs, state

    loop = compiled(loop)

    def chunk(state, data, number, share=None):
        data = jax.tree.map(lambda part: _steps(part, most, rows), data)
        return loop(state, devices.batch(data, share, 1), number)

    return chunk


def _steps(part, most: int, rows: int):
    """``(most, rows, ...)``: one size, so that it is compiled once; or one batch that is short."""
    if len(part) < rows:
        return part[None]
    whole = np.empty((most * rows, *part.shape[1:]), part.dtype)
    whole[: len(part)] = part
    return whole.reshape(most, rows, *part.shape[1:])
