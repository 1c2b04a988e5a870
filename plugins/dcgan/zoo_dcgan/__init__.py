"""Deep convolutional GAN (Radford et al. 2016)."""

from __future__ import annotations

from dataclasses import dataclass

import keras

from zoo.nn import networks
from zoo_gan import TwoPlayer


@dataclass(frozen=True)
class DCGAN(TwoPlayer):
    """DCGAN, sized from the pictures: sides halve while they are even and above 4.

    As in the paper: strided convolutions, batch norm and ReLU in the generator, LeakyReLU 0.2
    in the discriminator, weights from N(0, 0.02). Unlike it: kernels of 4 x 4, which overlap
    evenly, instead of 5 x 5, and dropout in the discriminator unless it is given batch norm.

    Attributes:
        latent_dim: dimension of the noise z, normal; the paper's is uniform.
        filters: filters at the largest map; they double as the maps halve.
        hidden: units of dense layers after the discriminator's convolutions, mirrored in the
            generator. The paper has none; where the smallest maps are of 7 x 7, as of 28 x 28
            pictures, they show the discriminator the whole (Chen et al. 2016, InfoGAN).
        normalization: of the discriminator: ``"batch"``, as in the paper, or None.
        activation: of both players' hidden layers, by its Keras name; None for the paper's.
        dropout: rate after each of the discriminator's hidden layers, in [0, 1).
        spectral: whether the discriminator has spectral normalization (Miyato et al. 2018).
    """

    latent_dim: int = 100
    filters: int = 64
    hidden: tuple[int, ...] = ()
    normalization: str | None = None
    activation: str | None = None
    dropout: float = 0.3
    spectral: bool = False

    def networks(self, data):
        classes = data.classes if self.conditional else 0
        filters = networks.doubled(self.filters, data.shape)
        normal = keras.initializers.RandomNormal(stddev=0.02)
        generator = networks.Style(self.activation or "relu", "batch", initializer=normal)
        discriminator = networks.Style(
            self.activation or "leaky_relu",
            self.normalization,
            self.dropout,
            normal,
            spectral=self.spectral,
        )
        return {
            "generator": networks.conv_decoder(
                self.latent_dim,
                filters,
                data.shape,
                generator,
                classes,
                "tanh",
                hidden=self.hidden[::-1],
            ),
            "discriminator": networks.conv_encoder(
                self.packed(data.shape),
                filters,
                {"logit": 1},
                discriminator,
                classes,
                hidden=self.hidden,
            ),
        }
