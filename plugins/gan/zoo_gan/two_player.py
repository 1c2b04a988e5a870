"""The game of a generator and a discriminator: adversarial loss x regularizer x networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from keras import ops

import zoo
from zoo.errors import unknown
from zoo.nn import augment, losses, packing
from zoo.nn import noise as mixtures
from zoo.nn.losses import penalties

REGULARIZERS = {"gradient_penalty": 10.0, "r1": 5.0}
"""Their weights in the papers: lambda of WGAN-GP, gamma / 2 of R1."""


@dataclass(frozen=True)
class TwoPlayer(zoo.Model):
    """A generator against a discriminator; a subclass gives it its networks.

    Attributes:
        latent_dim: dimension of the noise z.
        components: Gaussians that the noise is drawn from with equal chances, of variance 1: one
            around 0, or several around 4 on axes of their own. Data that lie apart, as digits
            do, need noise that lies apart (Ben-Yosef & Weinshall 2018): what a generator makes of
            a single Gaussian is connected, so that some of it lies in between.
        adversarial: ``"non_saturating"``, ``"minimax"``, ``"least_squares"``, ``"hinge"`` or
            ``"wasserstein"``.
        regularizer: of the discriminator: ``"gradient_penalty"`` (Gulrajani et al. 2017),
            ``"r1"`` (Mescheder et al. 2018) or None.
        augmentation: what is done to all pictures that the discriminator sees, differentiably
            (Zhao et al. 2020): of ``"translation"``, ``"cutout"`` and ``"color"``.
        packing: examples that the discriminator judges together (PacGAN, Lin et al. 2018).
        repeats: moves of the discriminator before one of the generator, each on a batch of
            its own.
        conditional: whether both players are shown the labels (Mirza & Osindero 2014).
    """

    latent_dim: int = 64
    components: int = 1
    adversarial: str = "non_saturating"
    regularizer: str | None = None
    augmentation: tuple[str, ...] = ()
    packing: int = 1
    repeats: int = 1
    conditional: bool = False

    value_range = (-1.0, 1.0)
    adversary: ClassVar[str] = "discriminator"
    """What the second player is called, as is its network."""

    def __post_init__(self):
        losses.adversarial(self.adversarial)
        if self.regularizer is not None and self.regularizer not in REGULARIZERS:
            raise unknown("regularizer", self.regularizer, REGULARIZERS)
        if self.packing < 1 or self.repeats < 1:
            raise zoo.ZooError(f"{self}: packing and repeats are at least 1")
        if not 1 <= self.components <= self.latent_dim:
            raise zoo.ZooError(f"{self}: components is from 1 to latent_dim")
        if self.packing > 1 and self.conditional:
            raise zoo.ZooError(f"{self}: packed examples have no label in common")

    def packed(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The shape of what the discriminator judges: packed examples share their channels."""
        return packing.packed(shape, self.packing)

    def players(self):
        return {self.adversary: (self.adversary,), "generator": ("generator",)}

    def moves(self):
        return [zoo.Move(self.discriminate, repeat=self.repeats), self.generate]

    def weights(self):
        if self.regularizer is None:
            return {}
        return {self.adversary: {self.regularizer: REGULARIZERS[self.regularizer]}}

    def discriminate(self, nets, batch, rng):
        loss = losses.adversarial(self.adversarial)
        fake = self.sample(nets, ops.shape(batch.x)[0], rng, batch.labels)
        real, fake = self._shown(batch.x, rng), self._shown(ops.stop_gradient(fake), rng)

        def judge(x):
            return getattr(nets, self.adversary)(x, labels=batch.labels)

        terms = {"real": loss.real(judge(real)), "fake": loss.fake(judge(fake))}
        if self.regularizer == "gradient_penalty":
            terms["gradient_penalty"] = penalties.gradient_penalty(judge, real, fake, rng)
        elif self.regularizer == "r1":
            terms["r1"] = penalties.r1(judge, real)
        return {self.adversary: self._averaged(terms)}

    def generate(self, nets, batch, rng):
        loss = losses.adversarial(self.adversarial)
        fake = self.sample(nets, ops.shape(batch.x)[0], rng, batch.labels)
        judged = getattr(nets, self.adversary)(self._shown(fake, rng), labels=batch.labels)
        return {"generator": self._averaged({"adversarial": loss.generator(judged)})}

    def sample(self, nets, n, rng, labels=None):
        return nets.generator(self.noise(rng, n), labels=labels)

    def decode(self, nets, z, labels=None):
        return nets.generator(z, labels=labels)

    def noise(self, rng, n):
        """What ``decode`` makes samples of, float32 ``(n, latent_dim)``."""
        return mixtures.gaussians(rng, n, self.latent_dim, self.components)

    def _shown(self, x, rng):
        if self.augmentation:
            x = augment.differentiable(x, rng, self.augmentation)
        return x if self.packing == 1 else packing.pack(x, self.packing)

    def _averaged(self, terms):
        """Terms of packs are not terms of examples: their mean is what counts."""
        return terms if self.packing == 1 else {name: ops.mean(t) for name, t in terms.items()}
