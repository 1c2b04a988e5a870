"""Deep convolutional GAN (Radford et al. 2016)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import keras
from keras import layers, ops

import zoo
from zoo import losses


@dataclass(frozen=True)
class DCGAN(zoo.Model):
    """DCGAN, sized from the pictures: sides halve while they are even and above 4.

    As in the paper: strided 4 x 4 convolutions, batch norm and ReLU in the generator,
    LeakyReLU 0.2 in the discriminator, weights from N(0, 0.02). The discriminator has
    dropout instead of batch norm.

    Attributes:
        latent_dim: dimension of the noise z, standard normal.
        filters: filters at the largest map; they double as the maps halve.
        dropout: rate after each of the discriminator's convolutions, in [0, 1).
        adversarial: ``"non_saturating"``, ``"minimax"``, ``"least_squares"`` or
            ``"hinge"``.
    """

    latent_dim: int = 100
    filters: int = 64
    dropout: float = 0.3
    adversarial: str = "non_saturating"

    value_range = (-1.0, 1.0)

    def networks(self, data):
        maps = _maps(data.shape)
        widths = [self.filters * 2**i for i in range(len(maps))]

        x = latent = keras.Input((self.latent_dim,))
        x = layers.Dense(math.prod(maps[-1]) * widths[-1], use_bias=False, **_initial())(x)
        x = layers.Reshape((*maps[-1], widths[-1]))(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        for width in reversed(widths[:-1]):
            x = layers.Conv2DTranspose(width, 4, 2, "same", use_bias=False, **_initial())(x)
            x = layers.ReLU()(layers.BatchNormalization()(x))
        picture = layers.Conv2DTranspose(
            data.shape[-1], 4, 2, "same", activation="tanh", **_initial()
        )(x)

        x = inputs = keras.Input(data.shape)
        for width in widths:
            x = layers.Conv2D(width, 4, 2, "same", **_initial())(x)
            x = layers.LeakyReLU(0.2)(x)
            x = zoo.layers.Dropout(self.dropout)(x)
        logit = layers.Dense(1, **_initial())(layers.Flatten()(x))
        return {
            "generator": keras.Model(latent, picture),
            "discriminator": keras.Model(inputs, logit),
        }

    def players(self):
        return {"discriminator": ("discriminator",), "generator": ("generator",)}

    def moves(self):
        return [self.discriminate, self.generate]

    def discriminate(self, nets, batch, rng):
        loss = losses.adversarial(self.adversarial)
        fake = ops.stop_gradient(self._generated(nets, ops.shape(batch.x)[0], rng))
        return {
            "discriminator": {
                "real": loss.real(nets.discriminator(batch.x)),
                "fake": loss.fake(nets.discriminator(fake)),
            }
        }

    def generate(self, nets, batch, rng):
        loss = losses.adversarial(self.adversarial)
        fake = self._generated(nets, ops.shape(batch.x)[0], rng)
        return {"generator": {"adversarial": loss.generator(nets.discriminator(fake))}}

    def _generated(self, nets, n, rng):
        return nets.generator(rng.normal((n, self.latent_dim)))

    def sample(self, nets, n, rng, labels=None):
        return self._generated(nets, n, rng)

    def decode(self, nets, z, labels=None):
        return nets.generator(z)


def _initial():
    return {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.02)}


def _maps(shape):
    """Sizes of the maps after each halving, largest first: 28 gives 14, 7."""
    height, width = shape[:2]
    maps = []
    while height % 2 == 0 and width % 2 == 0 and min(height, width) > 4:
        height, width = height // 2, width // 2
        maps.append((height, width))
    if not maps:
        raise zoo.ZooError(f"DCGAN needs pictures whose sides are even and above 4, not {shape}")
    return maps
