"""A VAE-GAN: three players move at once, from one forward pass."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from benchmarks.by_hand.jax.parts import Adam, values

PLAYERS = ("encoder", "decoder", "discriminator")
GAMMA = 0.02  # weight of the reconstruction in the decoder's loss


def training(case, nets):
    """State and step."""
    found = {name: values(nets[name]) for name in PLAYERS}
    adam = Adam(case)

    def losses_of(weights, statistics, x, for_codes, from_prior):
        after = {}

        def through(name, x):
            net = nets[name]
            out, after[name] = net.stateless_call(weights[name], statistics[name], x, training=True)
            return [o.astype("float32") for o in out] if isinstance(out, list) else out

        mean, log_var = through("encoder", x)
        z = mean + jnp.exp(0.5 * log_var) * for_codes
        made = through("decoder", jnp.concatenate([z, from_prior])).astype("float32")
        logits, features = through("discriminator", jnp.concatenate([x, made]))
        real, again, sampled = jnp.split(logits, 3)
        true, reconstructed, _ = jnp.split(features, 3)
        square = jnp.square(true - reconstructed)
        reconstruction = 0.5 * (math.log(2 * math.pi) + square).sum(1).mean()
        kl = 0.5 * (jnp.square(mean) + jnp.exp(log_var) - 1 - log_var).sum(1).mean()
        softplus = jax.nn.softplus
        fakes = softplus(again).mean() + softplus(sampled).mean()
        losses = {
            "encoder": kl + reconstruction,
            "decoder": GAMMA * reconstruction - fakes,
            "discriminator": softplus(-real).mean() + 0.5 * fakes,
        }
        return losses, after

    def step(state, x, noise):
        weights, statistics, slots = state
        x = x.astype("float32") / 127.5 - 1
        losses, pull_back, statistics = jax.vjp(
            lambda weights: losses_of(weights, statistics, x, *noise), weights, has_aux=True
        )
        moved = {}
        for name in PLAYERS:  # XLA drops what the zeros make unnecessary
            one = {other: jnp.float32(other == name) for other in PLAYERS}
            moved[name] = adam.apply(slots[name], weights[name], pull_back(one)[0][name])
        slots = {name: own for name, (own, _) in moved.items()}
        weights = {name: own for name, (_, own) in moved.items()}
        return (weights, statistics, slots), tuple(losses[name] for name in PLAYERS)

    weights = {name: own for name, (own, _) in found.items()}
    statistics = {name: own for name, (_, own) in found.items()}
    return (weights, statistics, {n: adam.init(own) for n, own in weights.items()}), step
