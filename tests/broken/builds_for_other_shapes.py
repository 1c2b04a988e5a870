"""It is made for one shape and fails for others, rather than refuse them."""

from dataclasses import dataclass

import keras
from keras import layers

from tests.broken.sound import Small


@dataclass(frozen=True)
class OneSize(Small):
    """An autoencoder of pictures with 64 pixels."""

    def networks(self, data):
        decoder = keras.Sequential(
            [
                keras.Input((self.latent_dim,)),
                layers.Dense(64, "sigmoid"),
                layers.Reshape(data.shape),
            ]
        )
        return {**super().networks(data), "decoder": decoder}


plugin = OneSize()
