"""A VAE with a Bernoulli decoder."""

from __future__ import annotations

import tensorflow as tf

from benchmarks.by_hand.tensorflow.adam import Adam


def training(case, nets):
    """The step."""
    encoder, decoder = nets["encoder"], nets["decoder"]
    adam = Adam(case, [*encoder.trainable_variables, *decoder.trainable_variables])

    def step(x, noise):
        x = tf.cast(x, "float32") / 255
        with tf.GradientTape() as tape:
            mean, log_var = (tf.cast(code, "float32") for code in encoder(x, training=True))
            z = mean + tf.exp(0.5 * log_var) * noise[0]
            logits = tf.cast(decoder(z, training=True), "float32")
            distortion = tf.reduce_sum(tf.nn.softplus(logits) - x * logits, (1, 2, 3))
            kl = 0.5 * tf.reduce_sum(tf.square(mean) + tf.exp(log_var) - 1 - log_var, 1)
            loss = tf.reduce_mean(distortion + kl)
        adam.move(tape.gradient(loss, adam.weights))
        return (loss,)

    return step
