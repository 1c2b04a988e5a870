"""A VAE with a Bernoulli decoder."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from benchmarks.by_hand.jax.parts import Adam, values


def training(case, nets):
    """State and step."""
    encoder, decoder = nets["encoder"], nets["decoder"]
    (encoding, _), (decoding, _) = values(encoder), values(decoder)
    adam, split = Adam(case), len(encoding)

    def loss_of(weights, x, noise):
        codes, _ = encoder.stateless_call(weights[:split], [], x, training=True)
        mean, log_var = (code.astype("float32") for code in codes)
        z = mean + jnp.exp(0.5 * log_var) * noise
        logits, _ = decoder.stateless_call(weights[split:], [], z, training=True)
        logits = logits.astype("float32")
        distortion = (jax.nn.softplus(logits) - x * logits).sum((1, 2, 3))
        kl = 0.5 * (jnp.square(mean) + jnp.exp(log_var) - 1 - log_var).sum(1)
        return (distortion + kl).mean()

    def step(state, x, noise):
        weights, slots = state
        loss, grads = jax.value_and_grad(loss_of)(weights, x.astype("float32") / 255, *noise)
        slots, weights = adam.apply(slots, weights, grads)
        return (weights, slots), (loss,)

    weights = [*encoding, *decoding]
    return (weights, adam.init(weights)), step
