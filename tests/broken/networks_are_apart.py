"""Two networks have a layer in common, and nothing says that it is meant."""

from dataclasses import dataclass

import keras
from keras import layers

from tests.broken.sound import Small


@dataclass(frozen=True)
class Entangled(Small):
    """An autoencoder with a second view of its encoder."""

    def networks(self, data):
        networks = super().networks(data)
        view = keras.Sequential([networks["encoder"], layers.Activation("tanh")])
        return {**networks, "view": view}


plugin = Entangled()
