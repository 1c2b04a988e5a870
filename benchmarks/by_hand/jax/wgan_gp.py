"""A Wasserstein GAN with a gradient penalty: the critic moves several times a step."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from benchmarks.by_hand.jax.parts import Adam, values

LAMBDA = 10.0  # weight of the penalty


def training(case, nets):
    """State and step."""
    generator, critic = nets["generator"], nets["critic"]
    (making, statistics), (judging, _) = values(generator), values(critic)
    adam = Adam(case)

    def made(weights, statistics, z):
        x, after = generator.stateless_call(weights, statistics, z, training=True)
        return x.astype("float32"), after

    def judged(weights, x):
        return critic.stateless_call(weights, [], x, training=True)[0].astype("float32")

    def criticism(weights, real, fake, share):
        scores = judged(weights, jnp.concatenate([real, fake]))  # each example by itself
        truth, lie = jnp.split(scores, 2)
        between = fake + share * (real - fake)
        slope = jax.grad(lambda x: judged(weights, x).sum())(between)
        norm = jnp.sqrt(jnp.square(slope).sum((1, 2, 3)) + 1e-12)
        return lie.mean() - truth.mean() + LAMBDA * jnp.square(norm - 1).mean()

    def step(state, x, noise):
        making, statistics, judging, own, other = state
        x = x.astype("float32") / 127.5 - 1
        *draws, last = noise
        critics = []
        for k in range(case.repeats):
            fake, _ = made(making, statistics, draws[2 * k])
            loss, grads = jax.value_and_grad(criticism)(
                judging, x[k :: case.repeats], fake, draws[2 * k + 1]
            )
            other, judging = adam.apply(other, judging, grads)
            critics.append(loss)

        def generate(weights):
            fake, after = made(weights, statistics, last)
            return -judged(judging, fake).mean(), after

        (loss, statistics), grads = jax.value_and_grad(generate, has_aux=True)(making)
        own, making = adam.apply(own, making, grads)
        return (making, statistics, judging, own, other), (sum(critics) / case.repeats, loss)

    return (making, statistics, judging, adam.init(making), adam.init(judging)), step
