"""Adversarial autoencoder (Makhzani et al. 2015), for pictures, vectors and points."""

from __future__ import annotations

from dataclasses import dataclass

from keras import ops

import zoo
from zoo.errors import ZooError, unknown
from zoo.nn import losses, networks
from zoo_aae.priors import PRIORS


@dataclass(frozen=True)
class AAE(zoo.Model):
    """Autoencoder whose codes an adversary drives to a prior.

    A step is three moves (section 2): the autoencoder reconstructs; the discriminator tells
    draws from the prior from codes; the encoder, now a generator, misleads it. The encoder is
    deterministic. Its batch norm, if a recipe gives it one, gathers statistics in the first
    move only, since all three see the same batch.

    As in the paper, networks are dense, with ReLU and two hidden layers.

    Attributes:
        latent_dim: dimension of the codes.
        hidden: units of the encoder's layers, mirrored in the decoder, and of the
            discriminator's.
        prior: ``"gaussian"``, the standard normal; or, with two codes, ``"mixture"`` of normals
            that lie like petals or a ``"swiss_roll"`` (section 2.3).
        components: of the mixture, or lengths of the roll: the classes, where it is labelled.
        labelled: whether the discriminator is shown the labels, so that each class has a
            component of the prior to itself (figure 3).
        conditional: whether the decoder is shown the labels, so that codes are of the style
            alone (section 4).
        adversarial: an adversarial loss of the zoo, by its name.
    """

    latent_dim: int = 8
    hidden: tuple[int, ...] = (1000, 1000)
    prior: str = "gaussian"
    components: int = 10
    labelled: bool = False
    conditional: bool = False
    adversarial: str = "non_saturating"

    def __post_init__(self):
        losses.adversarial(self.adversarial)
        if self.prior not in PRIORS:
            raise unknown("prior", self.prior, PRIORS)
        if self.prior != "gaussian" and self.latent_dim != 2:
            raise ZooError(f"AAE: prior={self.prior!r} is of two dimensions, not {self.latent_dim}")
        if self.prior == "gaussian" and self.labelled:
            raise ZooError(
                "AAE: labelled=True needs a prior with components, "
                '"mixture" or "swiss_roll", not "gaussian"'
            )

    def networks(self, data):
        if self.labelled and self.components != data.classes:
            raise ZooError(
                f"AAE: labelled=True needs a component for each class; components is "
                f"{self.components} and the data have {data.classes} classes"
            )
        style = networks.Style("relu")
        named = data.classes if self.conditional else 0
        placed = data.classes if self.labelled else 0
        size, hidden, output = self.latent_dim, self.hidden, "sigmoid" if data.is_image else None
        return {
            "encoder": networks.dense_encoder(data.shape, hidden, {"code": size}, style),
            "decoder": networks.dense_decoder(size, hidden[::-1], data.shape, style, named, output),
            "discriminator": networks.dense_encoder((size,), hidden, {"logit": 1}, style, placed),
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
        drawn = self._draw(ops.shape(batch.x)[0], rng, labels)
        real = nets.discriminator(drawn, labels=labels)
        fake = nets.discriminator(nets.encoder(batch.x), labels=labels)
        return {"discriminator": {"real": loss.real(real), "fake": loss.fake(fake)}}

    def mislead(self, nets, batch, rng):
        """The regularization phase, second half."""
        logits = nets.discriminator(nets.encoder(batch.x), labels=batch.labels)
        loss = losses.adversarial(self.adversarial)
        return {"generator": {"adversarial": loss.generator(logits)}}

    def encode(self, nets, x, labels=None):
        return nets.encoder(x)

    def decode(self, nets, z, labels=None):
        return nets.decoder(z, labels=labels)

    def sample(self, nets, n, rng, labels=None):
        return self.decode(nets, self._draw(n, rng, labels), labels)

    def reconstruct(self, nets, x, labels=None):
        return self.decode(nets, self.encode(nets, x), labels)

    def _draw(self, n, rng, labels):
        if not self.labelled or labels is None:
            labels = rng.integers((n,), 0, self.components)
        return PRIORS[self.prior](rng, (n, self.latent_dim), labels, self.components)
