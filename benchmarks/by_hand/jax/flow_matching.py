"""Flow matching along straight lines, at times in the middle."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from benchmarks.by_hand.jax.parts import Adam, values

SIGMA = 1e-4  # deviation of the noise that is left at time 1


def training(case, nets):
    """State and step."""
    unet = nets["unet"]
    weights, _ = values(unet)
    adam = Adam(case)

    def loss_of(weights, x, normal, start):
        t = jax.nn.sigmoid(normal)
        time = t[:, None, None, None]
        here = (1 - (1 - SIGMA) * time) * start + time * x
        found, _ = unet.stateless_call(weights, [], [here, t], training=True)
        wrong = x - (1 - SIGMA) * start - found.astype("float32")
        return jnp.square(wrong).sum((1, 2, 3)).mean()

    def step(state, x, noise):
        weights, slots = state
        x = x.astype("float32") / 127.5 - 1
        loss, grads = jax.value_and_grad(loss_of)(weights, x, *noise)
        slots, weights = adam.apply(slots, weights, grads)
        return (weights, slots), (loss,)

    return (weights, adam.init(weights)), step
