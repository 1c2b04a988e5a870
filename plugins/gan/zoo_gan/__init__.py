"""Generative adversarial network (Goodfellow et al. 2014), for pictures, vectors and points."""

from __future__ import annotations

from dataclasses import dataclass

from zoo.nn import networks
from zoo_gan.two_player import TwoPlayer

__all__ = ["GAN", "TwoPlayer"]


@dataclass(frozen=True)
class GAN(TwoPlayer):
    """GAN with dense networks.

    Attributes:
        hidden: units of the generator's layers, mirrored in the discriminator.
        normalization: of the generator's layers: ``"batch"``, ``"layer"`` or None.
        activation: of both players' hidden layers, by its Keras name.
    """

    hidden: tuple[int, ...] = (256, 256)
    normalization: str | None = None
    activation: str = "leaky_relu"

    def networks(self, data):
        classes = data.classes if self.conditional else 0
        generator = networks.dense_decoder(
            self.latent_dim,
            self.hidden,
            data.shape,
            networks.Style(self.activation, self.normalization),
            classes,
            activation="tanh" if data.is_image else None,
        )
        discriminator = networks.dense_encoder(
            self.packed(data.shape),
            self.hidden[::-1],
            {"logit": 1},
            networks.Style(self.activation),
            classes,
        )
        return {"generator": generator, "discriminator": discriminator}
