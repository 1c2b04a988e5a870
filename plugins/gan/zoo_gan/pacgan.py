"""GAN whose discriminator judges several examples together (Lin et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass, field

import keras
from keras import ops

from zoo.nn import networks
from zoo.nn.layers import Packed
from zoo_gan import GAN


@dataclass(frozen=True)
class PacGAN(GAN):
    """GAN against mode collapse: packs of samples show how much samples differ (section 3.1).

    Packed examples have no label in common, so it is not conditional.

    Attributes:
        packing: examples of a pack, m in the paper.
    """

    packing: int = 2
    conditional: bool = field(default=False, init=False)

    def networks(self, data):
        discriminator = networks.discriminator(
            shape=Packed.shape(data.shape, self.packing),
            units=self.units[::-1],
            style=networks.Style(self.activation),
        )
        return super().networks(data) | {"discriminator": Packed(discriminator, self.packing)}

    def discriminator_terms(self, nets, batch, real, fake):
        return _averaged(super().discriminator_terms(nets, batch, real, fake))

    def generator_terms(self, fake):
        return _averaged(super().generator_terms(fake))


def _averaged(terms):
    """Terms of packs are not terms of examples: their mean is what counts."""
    return keras.tree.map_structure(ops.mean, terms)
