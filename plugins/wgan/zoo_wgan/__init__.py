"""Wasserstein GANs: with weight clipping (Arjovsky et al. 2017) and with a gradient penalty."""

from __future__ import annotations

from dataclasses import dataclass

import keras
from keras import ops

from zoo.nn import networks
from zoo_gan import TwoPlayer


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
class WGAN(TwoPlayer):
    """Wasserstein GAN with a clipped critic: convolutional for pictures, dense for the rest.

    Attributes:
        filters: filters at the largest map of pictures; they double as the maps halve.
        hidden: units of the dense layers: all layers of data that are no pictures, and those
            between the smallest maps and the vectors of pictures.
        clip: bound of the critic's weights; None for none.
        normalization: of the critic: ``"layer"`` (one example at a time, as a gradient penalty
            needs it) or None.
    """

    latent_dim: int = 100
    adversarial: str = "wasserstein"
    repeats: int = 5
    filters: int = 64
    hidden: tuple[int, ...] = (512,)
    clip: float | None = 0.01
    normalization: str | None = None

    adversary = "critic"

    def networks(self, data):
        classes = data.classes if self.conditional else 0
        constraint = Clip(self.clip) if self.clip else None
        critic = networks.Style("leaky_relu", self.normalization, constraint=constraint)
        generator = networks.Style("relu", "batch" if data.is_image else None)
        output = "tanh" if data.is_image else None
        sizes = self.filters, self.hidden
        return {
            "generator": networks.decoder(
                self.latent_dim, *sizes, data.shape, generator, classes, output
            ),
            "critic": networks.encoder(
                self.packed(data.shape), *sizes, {"score": 1}, critic, classes
            ),
        }


@dataclass(frozen=True)
class WGANGP(WGAN):
    """Wasserstein GAN with a gradient penalty (Gulrajani et al. 2017)."""

    regularizer: str | None = "gradient_penalty"
    clip: float | None = None
    normalization: str | None = "layer"
