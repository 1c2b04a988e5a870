"""The steps of a chunk on JAX: one program, or one after the other."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from keras import layers

from zoo.engine import accelerate

CONVOLUTIONS = (
    layers.Conv1D,
    layers.Conv2D,
    layers.Conv3D,
    layers.Conv1DTranspose,
    layers.Conv2DTranspose,
    layers.Conv3DTranspose,
)


def steps(model, compiled: Callable) -> Callable:
    """The function of state and data that makes a chunk's steps.

    On a CPU, XLA runs convolutions within a loop several times slower than outside of one. So
    steps are a loop on the device where nothing in the model convolves.

    Args:
        model: that has chunks.
        compiled: makes of a function whose first argument is the state a compiled one.

    Returns:
        What gives the state afterwards, and float32 logs ``(steps, terms)``.
    """
    flat = model._flatten_layers(recursive=True)
    convolves = any(isinstance(layer, CONVOLUTIONS) for layer in flat)
    looped = accelerate.on("jax_chunk_program") and not convolves
    return (_looped if looped else _one_by_one)(model, compiled)


def _one_by_one(model, compiled):
    rows, names = model.chunks.rows, model.metrics_names
    step = compiled(model.train_step)

    def made(state, data):
        logs = []
        for start in range(0, len(data[0]), rows):
            own, state = step(state, tuple(part[start : start + rows] for part in data))
            _publish(model, state)
            logs.append([own[name] for name in names])
        return state, np.array(jax.device_get(logs), "float32")

    return made


def _looped(model, compiled):
    chunks, names = model.chunks, model.metrics_names
    most = max(chunks.most, 2)  # XLA makes another program of a loop over one batch

    def loop(state, data, number):
        rows = min(chunks.rows, data[0].shape[0])  # the last batch of an epoch may be short

        def one(i, carried):
            state, logs = carried
            batch = tuple(jax.lax.dynamic_slice_in_dim(x, i * rows, rows) for x in data)
            own, after = model.train_step(state, batch)
            after = jax.tree.map(lambda new, old: new.astype(old.dtype), after, state)
            return after, logs.at[i].set(jnp.stack([own[name] for name in names]))

        return jax.lax.fori_loop(0, number, one, (state, jnp.zeros((most, len(names)))))

    loop = compiled(loop)

    def made(state, data):
        number = -(-len(data[0]) // chunks.rows)
        if len(data[0]) >= chunks.rows:  # one size, so that it is compiled once
            data = tuple(_padded(part, most * chunks.rows) for part in data)
        state, logs = loop(state, data, number)
        _publish(model, state)
        return state, np.asarray(logs)[:number]

    return made


def _publish(model, state):
    """Have Keras find the state where an error comes before it is handed the state."""
    groups = ("trainable", "non_trainable", "optimizer", "metrics")
    model._jax_state = {f"{g}_variables": own for g, own in zip(groups, state, strict=True)}


def _padded(part, rows: int):
    whole = np.empty((rows, *part.shape[1:]), part.dtype)
    whole[: len(part)] = part
    return whole
