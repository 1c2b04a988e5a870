"""What the three have in common: the mathematics, in ``keras.ops``."""

from __future__ import annotations

import keras
from keras import ops


class VAE(keras.Model):
    """The negative ELBO of pictures."""

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.seeds = keras.random.SeedGenerator(0)
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.built = True

    @property
    def metrics(self):
        return [self.loss_tracker]

    def call(self, x, training=False):
        """The mean of the negative ELBO, in nats."""
        mean, log_var = self.encoder(x, training=training)
        noise = keras.random.normal(ops.shape(mean), seed=self.seeds)
        logits = self.decoder(mean + ops.exp(0.5 * log_var) * noise, training=training)
        distortion = ops.sum(ops.softplus(logits) - x * logits, axis=(1, 2, 3))
        kl = 0.5 * ops.sum(ops.square(mean) + ops.exp(log_var) - 1 - log_var, axis=1)
        return ops.mean(distortion + kl)


class GAN(keras.Model):
    """A generator against a discriminator, non-saturating."""

    def __init__(self, generator, discriminator, latent_dim):
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.latent_dim = latent_dim
        self.seeds = keras.random.SeedGenerator(0)
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.built = True

    def compile(self, own, other):
        """Give the generator and the discriminator their optimizers."""
        super().compile(optimizer=own)
        self.other = other
        own.build(self.generator.trainable_variables)
        other.build(self.discriminator.trainable_variables)

    @property
    def metrics(self):
        return [self.loss_tracker]

    def noise(self, n):
        return keras.random.normal((n, self.latent_dim), seed=self.seeds)

    def discriminate(self, x, fake):
        real = self.discriminator(x, training=True)
        wrong = self.discriminator(fake, training=True)
        return ops.mean(ops.softplus(-real) + ops.softplus(wrong))

    def generate(self, n):
        judged = self.discriminator(self.generator(self.noise(n), training=True), training=True)
        return ops.mean(ops.softplus(-judged))
