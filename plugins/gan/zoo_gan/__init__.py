"""Generative adversarial network (Goodfellow et al. 2014), for pictures, vectors and points."""

from __future__ import annotations

from dataclasses import dataclass

from keras import ops

import zoo
from zoo.errors import ZooError
from zoo.nn import distributions, losses, networks


@dataclass(frozen=True)
class Game(zoo.Model):
    """The game of a generator G and a discriminator D; a subclass gives it its networks.

    Attributes:
        prior: p(z), what G makes samples of.
        adversarial: the loss, by its name in ``zoo.nn.losses``: ``"minimax"`` is equation 1, and
            ``"non_saturating"`` has section 3's loss of G.
        repeats: steps of D for each of G, k in algorithm 1, each on a batch of its own.
        simultaneous: whether both take their step at once, on the same samples (Mescheder et al.
            2017, algorithm 1), in place of in turns. A step then makes samples once.
    """

    prior: distributions.Prior = distributions.StandardNormal(64)
    adversarial: str = "non_saturating"
    repeats: int = 1
    simultaneous: bool = False

    value_range = (-1.0, 1.0)

    def __post_init__(self):
        losses.adversarial(self.adversarial)
        if self.simultaneous and self.repeats != 1:
            raise ZooError(
                f"model.repeats={self.repeats} is for steps in turns: with simultaneous=True "
                "both players take one step at once, so leave repeats out"
            )

    def players(self):
        return {"discriminator": ("discriminator",), "generator": ("generator",)}

    def moves(self):
        """Algorithm 1, or both steps at once."""
        if self.simultaneous:
            self._refuse_moves_of_its_own()
            return [self.play]
        return [zoo.Move(self.discriminate, repeat=self.repeats), self.generate]

    def _refuse_moves_of_its_own(self):
        for move in (Game.discriminate, Game.generate):
            name = move.__name__
            if getattr(type(self), name) is not move:
                raise ZooError(
                    f"{type(self).__name__} has a {name}() of its own, which simultaneous=True "
                    f"would leave out: define {name.removesuffix('e')}or_terms() in its place"
                )

    def discriminate(self, nets, batch, rng):
        """D's step: the samples are new, and G stands still."""
        fake = ops.stop_gradient(self.sample(nets, batch.size, rng, batch.labels))
        real = nets.discriminator(batch.x, labels=batch.labels)
        fake = nets.discriminator(fake, labels=batch.labels)
        return {"discriminator": self.discriminator_terms(nets, batch, real, fake)}

    def generate(self, nets, batch, rng):
        """G's step."""
        fake = self.sample(nets, batch.size, rng, batch.labels)
        return {"generator": self.generator_terms(nets.discriminator(fake, labels=batch.labels))}

    def play(self, nets, batch, rng):
        """Both steps at once."""
        fake = self.sample(nets, batch.size, rng, batch.labels)
        real = nets.discriminator(batch.x, labels=batch.labels)
        fake = nets.discriminator(fake, labels=batch.labels)
        return {
            "discriminator": self.discriminator_terms(nets, batch, real, fake),
            "generator": self.generator_terms(fake),
        }

    def discriminator_terms(self, nets, batch, real, fake):
        """D's terms, given its logits of examples and of samples."""
        loss = losses.adversarial(self.adversarial)
        return {"real": loss.real(real), "fake": loss.fake(fake)}

    def generator_terms(self, fake):
        """G's term, given D's logits of samples."""
        return {"adversarial": losses.adversarial(self.adversarial).generator(fake)}

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
