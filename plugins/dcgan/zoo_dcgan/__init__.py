"""Deep convolutional GAN (Radford et al. 2016)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import keras
from keras import layers

from zoo.nn import distributions, networks
from zoo_gan import Game


@dataclass(frozen=True)
class DCGAN(Game):
    """The game of a GAN with the networks of section 3, sized from the pictures.

    Sides double, or halve, while they are even and above 4: from 4 x 4 to the paper's 64 x 64 in
    four steps, from 7 x 7 to 28 x 28 in two.

    Attributes:
        prior: p(z); the paper's is uniform and of 100 dimensions (figure 1).
        filters: of the largest maps; they double as the maps halve. The paper has 128.
        kernel: side of the convolutions' kernels (figure 1).
    """

    prior: distributions.Prior = distributions.Uniform(100)
    filters: int = 64
    kernel: int = 5

    def networks(self, data):
        return {"generator": self.generator(data), "discriminator": self.discriminator(data)}

    def generator(self, data):
        """Project and reshape z, then apply fractionally-strided convolutions and a tanh.

        Batch norm and ReLU after all layers but the last.
        """
        filters = networks.doubled(self.filters, data.shape)[::-1]
        small = (*networks.maps(data.shape, len(filters))[-1], filters[0])
        net = [keras.Input(self.prior.shape)]
        net += [layers.Dense(math.prod(small), use_bias=False, kernel_initializer=NORMAL)]
        net += [layers.Reshape(small), layers.BatchNormalization(), layers.ReLU()]
        for count in filters[1:]:
            net += [self._convolution(layers.Conv2DTranspose, count)]
            net += [layers.BatchNormalization(), layers.ReLU()]
        net += [self._convolution(layers.Conv2DTranspose, data.shape[-1], use_bias=True)]
        return keras.Sequential([*net, layers.Activation("tanh")])

    def discriminator(self, data):
        """Strided convolutions to one logit.

        Batch norm after all layers but the first and last, and LeakyReLU of slope 0.2.
        """
        first, *filters = networks.doubled(self.filters, data.shape)
        net = [keras.Input(data.shape), self._convolution(layers.Conv2D, first, use_bias=True)]
        net += [layers.LeakyReLU(0.2)]
        for count in filters:
            net += [self._convolution(layers.Conv2D, count), layers.BatchNormalization()]
            net += [layers.LeakyReLU(0.2)]
        return keras.Sequential(
            [*net, layers.Flatten(), layers.Dense(1, kernel_initializer=NORMAL)]
        )

    def _convolution(self, layer, filters, use_bias=False):
        # the shift of a batch norm does what a bias would
        options = {"strides": 2, "padding": "same", "use_bias": use_bias}
        return layer(filters, self.kernel, kernel_initializer=NORMAL, **options)


NORMAL = keras.initializers.RandomNormal(stddev=0.02)  # section 4
