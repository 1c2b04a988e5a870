"""One term depends on the backend."""

from dataclasses import dataclass

import keras

from tests.broken.sound import Small
from zoo.plugin.model import DataSpec
from zoo.testing import Case

FACTORS = {"jax": 1.01, "tensorflow": 1.02, "torch": 1.03}


@dataclass(frozen=True)
class Local(Small):
    """An autoencoder that is another on every backend."""

    def learn(self, nets, batch, rng):
        terms = super().learn(nets, batch, rng)
        terms["autoencoder"]["error"] *= FACTORS[keras.backend.backend()]
        return terms


FIRST_STEPS = (1.9370328, 1.9098777, 1.8822864)  # of the sound one
plugin = Case(Local(), DataSpec((8, 8, 1), 3), first_steps=FIRST_STEPS)
