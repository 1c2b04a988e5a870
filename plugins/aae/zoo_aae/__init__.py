"""Adversarial autoencoder (Makhzani et al. 2015), for pictures, vectors and points."""

from __future__ import annotations

from dataclasses import dataclass

import zoo
from zoo.errors import ZooError
from zoo.nn import distributions, losses, networks
from zoo_aae.priors import Labelled, Petals, SwissRoll

__all__ = ["AAE", "Petals", "SwissRoll"]


@dataclass(frozen=True)
class AAE(zoo.Model):
    """Autoencoder whose codes an adversary drives to a prior.

    A step is three moves (section 2): the autoencoder reconstructs; the discriminator tells
    draws from the prior from codes; the encoder, now a generator, misleads it. The encoder is
    deterministic. Its batch norm, if a recipe gives it one, gathers statistics in the first
    move only, since all three see the same batch.

    As in the paper, networks are dense, with ReLU and two hidden layers.

    Attributes:
        prior: p(z): any of ``zoo.nn.distributions``; or, of two dimensions and with components for
            labels to name, ``Petals`` or ``SwissRoll`` of this package (section 2.3).
        units: of the encoder's layers, mirrored in the decoder, and of the discriminator's.
        labelled: whether the discriminator is shown the labels, so that each class has a
            component of the prior to itself (figure 3).
        conditional: whether the decoder is shown the labels, so that codes are of the style
            alone (section 4).
        adversarial: an adversarial loss of the zoo, by its name.
    """

    prior: distributions.Prior = distributions.StandardNormal(8)
    units: tuple[int, ...] = (1000, 1000)
    labelled: bool = False
    conditional: bool = False
    adversarial: str = "non_saturating"

    def __post_init__(self):
        losses.adversarial(self.adversarial)
        if self.labelled and not isinstance(self.prior, Labelled):
            raise ZooError(
                "AAE: labelled=True needs a prior with a component for each class, Petals or "
                f"SwissRoll, not {type(self.prior).__name__}"
            )

    def networks(self, data):
        if self.labelled and self.prior.components != data.classes:
            raise ZooError(
                f"AAE: labelled=True needs a component for each class; components is "
                f"{self.prior.components} and the data have {data.classes} classes"
            )
        style, z = networks.Style("relu"), self.prior.shape
        return {
            "encoder": networks.encoder(shape=data.shape, units=self.units, outputs=z, style=style),
            "decoder": networks.decoder(
                shape=z,
                units=self.units[::-1],
                outputs=data.shape,
                num_classes=data.classes if self.conditional else 0,
                style=style,
                activation="sigmoid" if data.is_image else None,
            ),
            "discriminator": networks.discriminator(
                shape=z,
                units=self.units,
                num_classes=data.classes if self.labelled else 0,
                style=style,
            ),
        }

    def players(self):
        return {
            "autoencoder": ("encoder", "decoder"),
            "discriminator": ("discriminator",),
            "generator": ("encoder",),
        }

    def moves(self):
        return [self.autoencode, self.discriminate, zoo.Move(self.mislead, updates=())]

    def autoencode(self, nets, batch, rng):
        """The reconstruction phase."""
        again = nets.decoder(nets.encoder(batch.x), labels=batch.labels)
        return {"autoencoder": {"reconstruction": losses.squared_error(batch.x, again)}}

    def discriminate(self, nets, batch, rng):
        """The regularization phase, first half: what the prior gives is real."""
        loss, labels = losses.adversarial(self.adversarial), batch.labels
        drawn = self.latent(nets, labels).sample(rng, batch.size)
        real = nets.discriminator(drawn, labels=labels)
        fake = nets.discriminator(nets.encoder(batch.x), labels=labels)
        return {"discriminator": {"real": loss.real(real), "fake": loss.fake(fake)}}

    def mislead(self, nets, batch, rng):
        """The regularization phase, second half."""
        logits = nets.discriminator(nets.encoder(batch.x), labels=batch.labels)
        loss = losses.adversarial(self.adversarial)
        return {"generator": {"adversarial": loss.generator(logits)}}

    def latent(self, nets, labels=None):
        return self.prior.given(labels) if self.labelled else self.prior

    def encode(self, nets, x):
        return nets.encoder(x)

    def decode(self, nets, z, labels=None):
        return nets.decoder(z, labels=labels)
