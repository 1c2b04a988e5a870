"""Samples depend on the backend, and losses do not."""

from dataclasses import dataclass

import keras

from tests.broken.sound import Small
from zoo.plugin.model import DataSpec
from zoo.testing import Case

FACTORS = {"jax": 0.97, "tensorflow": 0.98, "torch": 0.99}


@dataclass(frozen=True)
class Local(Small):
    """An autoencoder that samples something else on every backend."""

    def sample(self, nets, n, rng, labels=None):
        return FACTORS[keras.backend.backend()] * super().sample(nets, n, rng)


FIRST_SAMPLES = (0.5075324, 0.4823267, 0.5505736, 0.4748356, 0.46172)  # of the sound one
plugin = Case(Local(), DataSpec((8, 8, 1), 3), first_samples=FIRST_SAMPLES)
