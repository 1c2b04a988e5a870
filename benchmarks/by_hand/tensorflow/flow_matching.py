"""Flow matching along straight lines, at times in the middle."""

from __future__ import annotations

import tensorflow as tf

from benchmarks.by_hand.tensorflow.adam import Adam

SIGMA = 1e-4  # deviation of the noise that is left at time 1


def training(case, nets):
    """The step."""
    unet = nets["unet"]
    adam = Adam(case, unet.trainable_variables)

    def step(x, noise):
        normal, start = noise
        x = tf.cast(x, "float32") / 127.5 - 1
        t = tf.sigmoid(normal)
        time = t[:, None, None, None]
        here = (1 - (1 - SIGMA) * time) * start + time * x
        with tf.GradientTape() as tape:
            found = tf.cast(unet([here, t], training=True), "float32")
            wrong = x - (1 - SIGMA) * start - found
            loss = tf.reduce_mean(tf.reduce_sum(tf.square(wrong), (1, 2, 3)))
        adam.move(tape.gradient(loss, adam.weights))
        return (loss,)

    return step
