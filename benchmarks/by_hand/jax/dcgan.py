"""A DCGAN, non-saturating."""

from __future__ import annotations

import jax

from benchmarks.by_hand.jax.parts import Adam, values


def training(case, nets):
    """State and step."""
    generator, judge = nets["generator"], nets["discriminator"]
    (making, statistics), (judging, moments) = values(generator), values(judge)
    adam = Adam(case)

    def made(weights, statistics, z):
        return generator.stateless_call(weights, statistics, z, training=True)

    def judged(weights, x):
        # the averages of its batch norm are for inference, in which it has no part
        return judge.stateless_call(weights, moments, x, training=True)[0].astype("float32")

    def step(state, x, noise):
        making, statistics, judging, own, other = state
        first, second = noise
        x = x.astype("float32") / 127.5 - 1
        fake, _ = made(making, statistics, first)

        def discriminate(weights):
            real, wrong = judged(weights, x), judged(weights, fake)
            return (jax.nn.softplus(-real) + jax.nn.softplus(wrong)).mean()

        loss, grads = jax.value_and_grad(discriminate)(judging)
        other, judging = adam.apply(other, judging, grads)

        def generate(weights):
            fake, after = made(weights, statistics, second)
            return jax.nn.softplus(-judged(judging, fake)).mean(), after

        (fooling, statistics), grads = jax.value_and_grad(generate, has_aux=True)(making)
        own, making = adam.apply(own, making, grads)
        return (making, statistics, judging, own, other), (loss, fooling)

    return (making, statistics, judging, adam.init(making), adam.init(judging)), step
