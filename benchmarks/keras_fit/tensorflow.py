"""``train_step`` with a gradient tape."""

from __future__ import annotations

import tensorflow as tf

from benchmarks.keras_fit import common


def _move(optimizer, tape, loss, weights):
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))


class VAE(common.VAE):
    """As Keras's guide on customizing fit with TensorFlow."""

    def train_step(self, data):
        with tf.GradientTape() as tape:
            loss = self(data, training=True)
        _move(self.optimizer, tape, loss, self.trainable_variables)
        self.loss_tracker.update_state(loss)
        return {"loss": self.loss_tracker.result()}


class GAN(common.GAN):
    """As Keras's example of a DCGAN on TensorFlow."""

    def train_step(self, data):
        n = tf.shape(data)[0]
        fake = self.generator(self.noise(n), training=True)
        with tf.GradientTape() as tape:
            loss = self.discriminate(data, fake)
        _move(self.other, tape, loss, self.discriminator.trainable_variables)
        with tf.GradientTape() as tape:
            fooling = self.generate(n)
        _move(self.optimizer, tape, fooling, self.generator.trainable_variables)
        self.loss_tracker.update_state(loss)
        return {"loss": self.loss_tracker.result()}
