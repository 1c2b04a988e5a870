"""A player's only network has nothing to train."""

from dataclasses import dataclass

import keras
from keras import layers

from tests.broken.sound import Small


@dataclass(frozen=True)
class Idle(Small):
    """An autoencoder with a classifier that cannot learn."""

    def networks(self, data):
        softmax = keras.Sequential([keras.Input((self.latent_dim,)), layers.Softmax()])
        return {**super().networks(data), "classifier": softmax}

    def classify(self, nets, x):
        return nets.classifier(nets.encoder(x)[:, :3])


plugin = Idle(latent_dim=3)
