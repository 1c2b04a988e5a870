"""Denoising autoencoder (Vincent et al. 2008)."""

from __future__ import annotations

from dataclasses import dataclass

import keras

from zoo.nn.layers import GaussianNoise, Masking
from zoo_ae import AE


@dataclass(frozen=True)
class DenoisingAE(AE):
    """Autoencoder that gives back what its input was before it was corrupted (section 2.3).

    The corruption is at work while training only: what validates and reconstructs is clean.

    Attributes:
        masking: probability of each number of an example to be set to 0, in [0, 1).
        noise: standard deviation of the normal noise that is then added.
    """

    masking: float = 0.25
    noise: float = 0.0

    def corruption(self, data):
        layers = [keras.Input(data.shape), Masking(self.masking), GaussianNoise(self.noise)]
        return keras.Sequential(layers)
