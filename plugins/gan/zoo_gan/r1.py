"""GAN with a zero-centred gradient penalty on real examples (Mescheder et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass

from zoo.nn.losses import penalties
from zoo_gan import GAN


@dataclass(frozen=True)
class R1GAN(GAN):
    """GAN whose discriminator is flat where the data are, so that the game converges.

    The weight of the term ``r1`` is gamma / 2 (equation 9): 5 for the paper's gamma of 10.
    """

    def weights(self):
        return {"discriminator": {"r1": 5.0}}

    def discriminator_terms(self, nets, batch, real, fake):
        def judge(x):
            return nets.discriminator(x, labels=batch.labels)

        terms = super().discriminator_terms(nets, batch, real, fake)
        return {**terms, "r1": penalties.r1(judge, batch.x)}
