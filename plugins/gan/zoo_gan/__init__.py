"""Generative adversarial network (Goodfellow et al. 2014), for pictures, vectors and points."""

from __future__ import annotations

from dataclasses import dataclass

from keras import ops

import zoo
from zoo.nn import distributions, losses, networks


@dataclass(frozen=True)
class Game(zoo.Model):
    """The game of a generator G and a discriminator D; a subclass gives it its networks.

    Attributes:
        prior: p(z), what G makes samples of.
        adversarial: the loss, by its name in ``zoo.nn.losses``: ``"minimax"`` is equation 1, and
            ``"non_saturating"`` has section 3's loss of G.
        repeats: steps of D for each of G, k in algorithm 1, each on a batch of its own.
    """

    prior: distributions.Prior = distributions.StandardNormal(64)
    adversarial: str = "non_saturating"
    repeats: int = 1

    value_range = (-1.0, 1.0)

    def __post_init__(self):
        losses.adversarial(self.adversarial)

    def players(self):
        return {"discriminator": ("discriminator",), "generator": ("generator",)}

    def moves(self):
        """Algorithm 1."""
        return [zoo.Move(self.discriminate, repeat=self.repeats), self.generate]

    def discriminate(self, nets, batch, rng):
        """D's step: the samples are new, and G stands still."""
        loss = losses.adversarial(self.adversarial)
        fake = ops.stop_gradient(self.sample(nets, batch.size, rng, batch.labels))
        return {
            "discriminator": {
                "real": loss.real(nets.discriminator(batch.x, labels=batch.labels)),
                "fake": loss.fake(nets.discriminator(fake, labels=batch.labels)),
            }
        }

    def generate(self, nets, batch, rng):
        """G's step."""
        fake = self.sample(nets, batch.size, rng, batch.labels)
        logits = nets.discriminator(fake, labels=batch.labels)
        return {
            "generator": {"adversarial": losses.adversarial(self.adversarial).generator(logits)}
        }

    def latent(self, nets):
        return self.prior

    def decode(self, nets, z, labels=None):
        return nets.generator(z, labels=labels)


@dataclass(frozen=True)
class GAN(Game):
    """GAN with dense networks.

    Attributes:
        units: of the generator's layers, mirrored in the discriminator.
        activation: of the hidden layers, by its Keras name.
        normalization: of the generator's layers: ``"batch"``, ``"layer"`` or None.
        conditional: whether both networks are shown the labels (Mirza & Osindero 2014).
    """

    units: tuple[int, ...] = (256, 256)
    activation: str = "leaky_relu"
    normalization: str | None = None
    conditional: bool = False

    def networks(self, data):
        num_classes = data.classes if self.conditional else 0
        return {
            "generator": networks.generator(
                shape=self.prior.shape,
                units=self.units,
                outputs=data.shape,
                num_classes=num_classes,
                style=networks.Style(self.activation, self.normalization),
            ),
            "discriminator": networks.discriminator(
                shape=data.shape,
                units=self.units[::-1],
                num_classes=num_classes,
                style=networks.Style(self.activation),
            ),
        }
