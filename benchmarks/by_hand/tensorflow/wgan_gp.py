"""A Wasserstein GAN with a gradient penalty: the critic moves several times a step."""

from __future__ import annotations

import tensorflow as tf

from benchmarks.by_hand.tensorflow.adam import Adam

LAMBDA = 10.0  # weight of the penalty


def training(case, nets):
    """The step."""
    generator, critic = nets["generator"], nets["critic"]
    own, other = Adam(case, generator.trainable_variables), Adam(case, critic.trainable_variables)

    def made(z):
        return tf.cast(generator(z, training=True), "float32")

    def judged(x):
        return tf.cast(critic(x, training=True), "float32")

    def criticism(real, fake, share):
        truth, lie = tf.split(judged(tf.concat([real, fake], 0)), 2)  # each example by itself
        between = fake + share * (real - fake)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(between)
            score = tf.reduce_sum(judged(between))
        slope = tape.gradient(score, between)
        norm = tf.sqrt(tf.reduce_sum(tf.square(slope), (1, 2, 3)) + 1e-12)
        penalty = tf.reduce_mean(tf.square(norm - 1))
        return tf.reduce_mean(lie) - tf.reduce_mean(truth) + LAMBDA * penalty

    def step(x, noise):
        x = tf.cast(x, "float32") / 127.5 - 1
        *draws, last = noise
        critics = []
        for k in range(case.repeats):
            fake = made(draws[2 * k])
            with tf.GradientTape() as tape:
                loss = criticism(x[k :: case.repeats], fake, draws[2 * k + 1])
            other.move(tape.gradient(loss, other.weights))
            critics.append(loss)
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(judged(made(last)))
        own.move(tape.gradient(loss, own.weights))
        return tf.add_n(critics) / case.repeats, loss

    return step
