"""A network is left out of the players, so that it is never trained."""

from dataclasses import dataclass

import keras
from keras import layers

from tests.broken.sound import Small


@dataclass(frozen=True)
class Forgetful(Small):
    """An autoencoder with a prior that was to be learned."""

    def networks(self, data):
        prior = keras.Sequential([keras.Input((1,)), layers.Dense(self.latent_dim)])
        return {**super().networks(data), "prior": prior}


plugin = Forgetful()
