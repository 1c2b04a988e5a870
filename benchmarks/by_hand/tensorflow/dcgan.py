"""A DCGAN, non-saturating."""

from __future__ import annotations

import tensorflow as tf

from benchmarks.by_hand.tensorflow.adam import Adam


def training(case, nets):
    """The step."""
    generator, judge = nets["generator"], nets["discriminator"]
    own, other = Adam(case, generator.trainable_variables), Adam(case, judge.trainable_variables)

    def judged(x):
        return tf.cast(judge(x, training=True), "float32")

    def step(x, noise):
        first, second = noise
        x = tf.cast(x, "float32") / 127.5 - 1
        fake = generator(first, training=True)
        with tf.GradientTape() as tape:
            real, wrong = judged(x), judged(fake)
            loss = tf.reduce_mean(tf.nn.softplus(-real) + tf.nn.softplus(wrong))
        other.move(tape.gradient(loss, other.weights))
        with tf.GradientTape() as tape:
            fooling = judged(generator(second, training=True))
            fooling = tf.reduce_mean(tf.nn.softplus(-fooling))
        own.move(tape.gradient(fooling, own.weights))
        return loss, fooling

    return step
