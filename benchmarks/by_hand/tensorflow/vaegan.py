"""A VAE-GAN: three players move at once, from one forward pass."""

from __future__ import annotations

import math

import tensorflow as tf

from benchmarks.by_hand.tensorflow.adam import Adam

GAMMA = 0.02  # weight of the reconstruction in the decoder's loss


def mean_softplus(logits):
    """What the losses of the game are made of."""
    return tf.reduce_mean(tf.nn.softplus(logits))


def training(case, nets):
    """The step."""
    encoder, decoder, judge = (nets[n] for n in ("encoder", "decoder", "discriminator"))
    adams = [Adam(case, net.trainable_variables) for net in (encoder, decoder, judge)]

    def losses_of(x, for_codes, from_prior):
        mean, log_var = (tf.cast(code, "float32") for code in encoder(x, training=True))
        z = mean + tf.exp(0.5 * log_var) * for_codes
        made = tf.cast(decoder(tf.concat([z, from_prior], 0), training=True), "float32")
        judged = judge(tf.concat([x, made], 0), training=True)
        logits, features = (tf.cast(out, "float32") for out in judged)
        real, again, sampled = tf.split(logits, 3)
        true, reconstructed, _ = tf.split(features, 3)
        square = tf.square(true - reconstructed)
        reconstruction = tf.reduce_mean(0.5 * tf.reduce_sum(math.log(2 * math.pi) + square, 1))
        kl = tf.square(mean) + tf.exp(log_var) - 1 - log_var
        kl = tf.reduce_mean(0.5 * tf.reduce_sum(kl, 1))
        fakes = mean_softplus(again) + mean_softplus(sampled)
        return (
            kl + reconstruction,
            GAMMA * reconstruction - fakes,
            mean_softplus(-real) + 0.5 * fakes,
        )

    def step(x, noise):
        x = tf.cast(x, "float32") / 127.5 - 1
        with tf.GradientTape(persistent=True) as tape:
            losses = losses_of(x, *noise)
        pairs = list(zip(adams, losses, strict=True))
        grads = [tape.gradient(loss, adam.weights) for adam, loss in pairs]
        for adam, own in zip(adams, grads, strict=True):
            adam.move(own)
        return losses

    return step
