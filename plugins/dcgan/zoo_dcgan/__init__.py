"""Deep convolutional GAN (Radford et al. 2016)."""

from __future__ import annotations

from dataclasses import dataclass

import keras

from zoo import networks
from zoo_gan import TwoPlayer


@dataclass(frozen=True)
class DCGAN(TwoPlayer):
    """DCGAN, sized from the pictures: sides halve while they are even and above 4.

    As in the paper: strided convolutions, batch norm and ReLU in the generator, LeakyReLU 0.2
    in the discriminator, weights from N(0, 0.02). Unlike it: kernels of 4 x 4, which overlap
    evenly, instead of 5 x 5, and dropout in the discriminator instead of batch norm.

    Attributes:
        latent_dim: dimension of the noise z, standard normal; the paper's is uniform.
        filters: filters at the largest map; they double as the maps halve.
        hidden: units of dense layers between the noise and the generator's smallest maps,
            mirrored in the discriminator, as of Chen et al. 2016 (InfoGAN) for 28 x 28 pictures,
            whose smallest maps are of 7 x 7; the paper has none.
        dropout: rate after each of the discriminator's convolutions, in [0, 1).
        spectral: whether the discriminator has spectral normalization (Miyato et al. 2018).
    """

    latent_dim: int = 100
    filters: int = 64
    hidden: tuple[int, ...] = ()
    dropout: float = 0.3
    spectral: bool = False

    def networks(self, data):
        widths = [self.filters * 2**i for i in range(networks.halvings(data.shape))]
        classes = data.classes if self.conditional else 0
        normal = keras.initializers.RandomNormal(stddev=0.02)
        return {
            "generator": networks.conv_decoder(
                self.latent_dim,
                widths,
                data.shape,
                networks.Style("relu", "batch", initializer=normal),
                classes,
                activation="tanh",
                hidden=self.hidden,
            ),
            "discriminator": networks.conv_encoder(
                self.packed(data.shape),
                widths,
                {"logit": 1},
                networks.Style(
                    "leaky_relu",
                    dropout=self.dropout,
                    initializer=normal,
                    spectral=self.spectral,
                ),
                classes,
                hidden=self.hidden[::-1],
            ),
        }
