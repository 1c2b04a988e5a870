"""Variational autoencoder (Kingma & Welling 2014), dense or convolutional."""

from __future__ import annotations

import math
from dataclasses import dataclass

import keras
from keras import layers, ops

import zoo
from zoo import losses


@dataclass(frozen=True)
class VAE(zoo.Model):
    """VAE with a diagonal normal posterior, a standard normal prior and Bernoulli pixels.

    Attributes:
        latent_dim: dimension of the latent z.
        hidden: units of the encoder's layers, mirrored in the decoder; the filters of
            3 x 3 convolutions of stride 2 where ``convolutional``.
        convolutional: for pictures whose sides halve evenly once for each layer.
        activation: of the hidden layers, by its Keras name. A smooth one has no units that
            die, which Adam would turn into differences between backends.
    """

    latent_dim: int = 16
    hidden: tuple[int, ...] = (512, 256)
    convolutional: bool = False
    activation: str = "silu"

    value_range = (0.0, 1.0)

    def networks(self, data):
        x = inputs = keras.Input(data.shape)
        for units in self.hidden if self.convolutional else ():
            x = layers.Conv2D(units, 3, strides=2, padding="same", activation=self.activation)(x)
        small = x.shape[1:]
        x = layers.Flatten()(x)
        for units in () if self.convolutional else self.hidden:
            x = layers.Dense(units, activation=self.activation)(x)
        moments = [layers.Dense(self.latent_dim, name=name)(x) for name in ("mean", "log_var")]

        x = latent = keras.Input((self.latent_dim,))
        if self.convolutional:
            x = layers.Dense(math.prod(small), activation=self.activation)(x)
            x = layers.Reshape(small)(x)
            for units in self.hidden[-2::-1]:
                x = layers.Conv2DTranspose(units, 3, 2, "same", activation=self.activation)(x)
            logits = layers.Conv2DTranspose(data.shape[-1], 3, 2, "same")(x)
        else:
            for units in reversed(self.hidden):
                x = layers.Dense(units, activation=self.activation)(x)
            logits = layers.Reshape(data.shape)(layers.Dense(math.prod(data.shape))(x))
        return {"encoder": keras.Model(inputs, moments), "decoder": keras.Model(latent, logits)}

    def players(self):
        return {"autoencoder": ("encoder", "decoder")}

    def moves(self):
        return [self.elbo]

    def elbo(self, nets, batch, rng):
        """The negative ELBO in two terms, in nats (equation 10, with one draw of z)."""
        mean, log_var = nets.encoder(batch.x)
        z = mean + ops.exp(0.5 * log_var) * rng.normal(ops.shape(mean))
        return {
            "autoencoder": {
                "reconstruction": losses.bernoulli(batch.x, nets.decoder(z)),
                "kl": losses.kl_standard_normal(mean, log_var),
            }
        }

    def encode(self, nets, x, labels=None):
        return nets.encoder(x)[0]

    def decode(self, nets, z, labels=None):
        return ops.sigmoid(nets.decoder(z))

    def sample(self, nets, n, rng, labels=None):
        return self.decode(nets, rng.normal((n, self.latent_dim)))

    def reconstruct(self, nets, x, labels=None):
        return self.decode(nets, self.encode(nets, x))

    def log_likelihood(self, nets, x, rng, samples=1, labels=None):
        """Importance-weighted bound (Burda et al. 2016, equation 8); the ELBO for one sample."""
        mean, log_var = (ops.repeat(m, samples, axis=0) for m in nets.encoder(x))
        noise = rng.normal((ops.shape(x)[0], samples * self.latent_dim))
        z = mean + ops.exp(0.5 * log_var) * ops.reshape(noise, ops.shape(mean))
        log_weight = (
            losses.gaussian(z, mean, log_var)  # -log q(z|x)
            - losses.gaussian(z, ops.zeros_like(z))  # log p(z)
            - losses.bernoulli(ops.repeat(x, samples, axis=0), nets.decoder(z))  # log p(x|z)
        )
        return ops.logsumexp(ops.reshape(log_weight, (-1, samples)), axis=1) - math.log(samples)
