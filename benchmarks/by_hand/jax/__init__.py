"""JAX as an expert writes it: an epoch in ``lax.scan``, pictures as uint8 on the device.

On a CPU with the convolutions, the compiler options and the malloc that the zoo has too. XLA runs
convolutions in a loop slowly there, so networks with convolutions are trained step by step.
"""

from __future__ import annotations

import importlib

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import cases
from benchmarks.by_hand import noise
from benchmarks.clock import Clock
from zoo.engine.accelerate import jax_compiler_options, jax_convolutions
from zoo.engine.accelerate.malloc import retain_freed_memory


def measure(case: cases.Case, clock: Clock) -> None:
    """Train at each turn of the clock."""
    on_cpu = jax.default_backend() == "cpu"
    if on_cpu:
        jax_convolutions.install()
        retain_freed_memory()
    options = jax_compiler_options.OPTIONS if on_cpu else {}
    data = jnp.asarray(cases.pictures(case.pictures))
    state, step = training(case, cases.networks(case))
    convolves = any(leaf.ndim == 4 for leaf in jax.tree.leaves(state))

    def one(state, data, rows):
        key, own = jax.random.split(state[0])
        drawn = _drawn(own, case)
        model, losses = step(state[1], data[rows], drawn)
        return (key, model), losses

    def scanned(state, data, rows):
        return jax.lax.scan(lambda state, rows: one(state, data, rows), state, rows)

    def stepped(state, data, rows):
        losses = []
        for own in rows:
            state, loss = run(state, data, own)
            losses.append(loss)
        return state, losses

    by_step = on_cpu and convolves
    run = jax.jit(one if by_step else scanned, donate_argnums=0, compiler_options=options)
    epoch = stepped if by_step else run
    state, orders = (jax.random.key(0), state), np.random.default_rng(0)
    while clock.again():
        clock.begin()
        rows = orders.permutation(case.pictures).astype("int32").reshape(case.steps, -1)
        state, losses = epoch(state, data, rows)
        jax.block_until_ready((state, losses))
        clock.stepped()
        clock.end(case.pictures)


def training(case: cases.Case, nets):
    """The state of a training, and its step.

    Args:
        case: what is trained.
        nets: its Keras networks by name, whose weights are copied.

    Returns:
        The state and ``step(state, x, noise) -> (state, losses)``.
    """
    return importlib.import_module(f"{__name__}.{case.model}").training(case, nets)


def _drawn(key, case):
    wanted = noise.draws(case)
    keys = jax.random.split(key, len(wanted))
    return [getattr(jax.random, k)(own, s) for own, (k, s) in zip(keys, wanted, strict=True)]
