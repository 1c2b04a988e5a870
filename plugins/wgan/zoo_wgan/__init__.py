"""Wasserstein GANs: with weight clipping (Arjovsky et al. 2017) and with a gradient penalty."""

from __future__ import annotations

from dataclasses import dataclass

import keras
from keras import ops

import zoo
from zoo.nn import distributions, losses, networks
from zoo.nn.losses import penalties


@keras.saving.register_keras_serializable("zoo")
class Clip(keras.constraints.Constraint):
    """Keeps every weight within ``[-bound, bound]`` (Arjovsky et al. 2017, algorithm 1)."""

    def __init__(self, bound: float):
        self.bound = bound

    def __call__(self, w):
        return ops.clip(w, -self.bound, self.bound)

    def get_config(self):
        return {"bound": self.bound}


@dataclass(frozen=True)
class WassersteinGame(zoo.Model):
    """A generator against a critic whose loss estimates a distance; convolutional for pictures.

    A subclass says how its critic is kept smooth.

    Attributes:
        prior: p(z), what the generator makes samples of.
        filters: of the largest maps of pictures; they double as the maps halve.
        units: of the dense layers: all of them for data that are no pictures; for pictures those
            between the smallest maps and the vectors.
        repeats: steps of the critic for one of the generator, n_critic in algorithm 1 of both
            papers.
    """

    prior: distributions.Prior = distributions.StandardNormal(100)
    filters: int = 64
    units: tuple[int, ...] = (512,)
    repeats: int = 5

    value_range = (-1.0, 1.0)

    def networks(self, data):
        filters = networks.doubled(self.filters, data.shape)
        return {
            "generator": networks.generator(
                shape=self.prior.shape,
                filters=filters[::-1],
                units=self.units[::-1],
                outputs=data.shape,
                style=networks.Style("relu", "batch" if data.is_image else None),
            ),
            "critic": networks.discriminator(
                shape=data.shape, filters=filters, units=self.units, style=self.critic_style()
            ),
        }

    def critic_style(self) -> networks.Style:
        """The style of the critic's layers, by which a subclass keeps it smooth."""
        raise NotImplementedError(f"{type(self).__name__} has to define critic_style()")

    def players(self):
        return {"critic": ("critic",), "generator": ("generator",)}

    def moves(self):
        return [zoo.Move(self.criticize, repeat=self.repeats), self.generate]

    def criticize(self, nets, batch, rng):
        """The critic's step: minus what estimates the distance (Arjovsky et al., equation 2)."""
        fake = ops.stop_gradient(self.sample(nets, batch.size, rng))
        loss = losses.wasserstein
        return {
            "critic": {
                "real": loss.real(nets.critic(batch.x)),
                "fake": loss.fake(nets.critic(fake)),
                **self.penalties(nets, batch.x, fake, rng),
            }
        }

    def penalties(self, nets, real, fake, rng):
        """Terms of the critic beside the estimate, ``{term: (n,)}``."""
        return {}

    def generate(self, nets, batch, rng):
        """The generator's step."""
        fake = self.sample(nets, batch.size, rng)
        return {"generator": {"adversarial": losses.wasserstein.generator(nets.critic(fake))}}

    def latent(self, nets):
        return self.prior

    def decode(self, nets, z):
        return nets.generator(z)


@dataclass(frozen=True)
class WGAN(WassersteinGame):
    """Wasserstein GAN (Arjovsky et al. 2017).

    Attributes:
        clip: bound of the critic's kernels and biases, c in algorithm 1.
        normalization: of the critic: ``"batch"``, ``"layer"`` or None.
    """

    clip: float = 0.01
    normalization: str | None = None

    def critic_style(self):
        return networks.Style("leaky_relu", self.normalization, constraint=Clip(self.clip))


@dataclass(frozen=True)
class WGANGP(WassersteinGame):
    """Wasserstein GAN with a gradient penalty (Gulrajani et al. 2017).

    The weight of the term ``gradient_penalty`` is lambda in equation 3.

    Attributes:
        normalization: of the critic: ``"layer"``, one example at a time as the penalty needs it
            (section 4), or None.
    """

    normalization: str | None = "layer"

    def critic_style(self):
        return networks.Style("leaky_relu", self.normalization)

    def weights(self):
        return {"critic": {"gradient_penalty": 10.0}}

    def penalties(self, nets, real, fake, rng):
        return {"gradient_penalty": penalties.gradient_penalty(nets.critic, real, fake, rng)}
