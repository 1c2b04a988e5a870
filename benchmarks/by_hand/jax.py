"""JAX as an expert writes it: ``lax.scan`` over an epoch, pictures as uint8 on the device.

On a CPU with the convolutions, the compiler options and the malloc that the zoo has too.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from benchmarks import cases
from benchmarks.clock import Clock
from zoo.engine.accelerate import jax_compiler_options, jax_convolutions
from zoo.engine.accelerate.malloc import retain_freed_memory


def measure(case: cases.Case, clock: Clock) -> None:
    """Train at each turn of the clock."""
    options = {}
    if jax.default_backend() == "cpu":
        jax_convolutions.install()
        retain_freed_memory()
        options = jax_compiler_options.OPTIONS
    data = jnp.asarray(cases.pictures(case.pictures))
    state, step = (_vae if case.model == "vae" else _gan)(case)

    def body(state, rows):
        key, own = jax.random.split(state[0])
        model, loss = step(state[1], data[rows], own)
        return (key, model), loss

    def epoch(state):
        key, order = jax.random.split(state[0])
        rows = jax.random.permutation(order, case.pictures).reshape(case.steps, case.batch_size)
        return jax.lax.scan(body, (key, state[1]), rows)

    run = jax.jit(epoch, donate_argnums=0, compiler_options=options)
    state = (jax.random.key(0), state)
    while clock.again():
        clock.begin()
        state, losses = run(state)
        jax.block_until_ready((state, losses))
        clock.stepped()
        clock.end(case.pictures)


def _adam(case):
    """Adam as in its paper (Kingma & Ba 2015), with Keras's epsilon."""
    one, two, rate = case.beta_1, 0.999, case.rate

    def init(values):
        return jnp.zeros((), "int32"), [v * 0 for v in values], [v * 0 for v in values]

    def apply(state, values, grads):
        t, m, v = state
        t = t + 1
        m = [one * a + (1 - one) * g for a, g in zip(m, grads, strict=True)]
        v = [two * a + (1 - two) * g * g for a, g in zip(v, grads, strict=True)]
        scale = rate * jnp.sqrt(1 - two**t) / (1 - one**t)
        moved = zip(values, m, v, strict=True)
        return (t, m, v), [w - scale * a / (jnp.sqrt(b) + 1e-7) for w, a, b in moved]

    return init, apply


def _values(net):
    trained = [jnp.array(v.value) for v in net.trainable_variables]
    return trained, [jnp.array(v.value) for v in net.non_trainable_variables]


def _vae(case):
    nets = cases.networks(case)
    encoder, decoder = nets["encoder"], nets["decoder"]
    (encoding, _), (decoding, _) = _values(encoder), _values(decoder)
    init, apply = _adam(case)
    split = len(encoding)

    def loss_of(weights, x, key):
        codes, _ = encoder.stateless_call(weights[:split], [], x, training=True)
        mean, log_var = (code.astype("float32") for code in codes)
        z = mean + jnp.exp(0.5 * log_var) * jax.random.normal(key, mean.shape)
        logits, _ = decoder.stateless_call(weights[split:], [], z, training=True)
        logits = logits.astype("float32")
        distortion = (jax.nn.softplus(logits) - x * logits).sum((1, 2, 3))
        kl = 0.5 * (jnp.square(mean) + jnp.exp(log_var) - 1 - log_var).sum(1)
        return (distortion + kl).mean()

    def step(state, x, key):
        weights, slots = state
        loss, grads = jax.value_and_grad(loss_of)(weights, x.astype("float32") / 255, key)
        slots, weights = apply(slots, weights, grads)
        return (weights, slots), loss

    weights = [*encoding, *decoding]
    return (weights, init(weights)), step


def _gan(case):
    nets = cases.networks(case)
    generator, judge = nets["generator"], nets["discriminator"]
    (making, statistics), (judging, moments) = _values(generator), _values(judge)
    init, apply = _adam(case)
    latent = case.settings["prior"]["dimension"]

    def made(weights, statistics, key):
        z = jax.random.normal(key, (case.batch_size, latent))
        return generator.stateless_call(weights, statistics, z, training=True)

    def judged(weights, x):
        # the averages of its batch norm are for inference, in which it has no part
        return judge.stateless_call(weights, moments, x, training=True)[0].astype("float32")

    def step(state, x, key):
        making, statistics, judging, own, other = state
        first, second = jax.random.split(key)
        x = x.astype("float32") / 127.5 - 1

        fake, _ = made(making, statistics, first)

        def discriminate(weights):
            real, wrong = judged(weights, x), judged(weights, fake)
            return (jax.nn.softplus(-real) + jax.nn.softplus(wrong)).mean()

        loss, grads = jax.value_and_grad(discriminate)(judging)
        other, judging = apply(other, judging, grads)

        def generate(weights):
            fake, after = made(weights, statistics, second)
            return jax.nn.softplus(-judged(judging, fake)).mean(), after

        (_, statistics), grads = jax.value_and_grad(generate, has_aux=True)(making)
        own, making = apply(own, making, grads)
        return (making, statistics, judging, own, other), loss

    return (making, statistics, judging, init(making), init(judging)), step
