"""A layer counts steps of training, and does not save the count."""

from dataclasses import dataclass

import keras
from keras import layers

from tests.broken.sound import Small


@keras.saving.register_keras_serializable("tests.broken")
class WarmingUp(layers.Layer):
    """Grows with every step of training; inference does not use the count."""

    def build(self, shape):
        self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False, name="seen")

    def call(self, x, training=False):
        if not training:
            return x
        self.seen.assign(self.seen + 1.0)
        return x * (1.0 + 0.1 * self.seen)

    def save_own_variables(self, store):
        pass

    def load_own_variables(self, store):
        pass


@dataclass(frozen=True)
class Restarting(Small):
    """An autoencoder that warms up anew after every break."""

    def networks(self, data):
        networks = super().networks(data)
        encoder = keras.Sequential([keras.Input(data.shape), networks["encoder"], WarmingUp()])
        return {**networks, "encoder": encoder}


plugin = Restarting()
