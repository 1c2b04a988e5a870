"""A layer has statistics that inference uses, and does not save them."""

from dataclasses import dataclass

import keras
from keras import layers

from tests.broken.sound import Small


@keras.saving.register_keras_serializable("tests.broken")
class Forgetful(layers.Layer):
    """Adds a number in inference that it does not write to files."""

    def build(self, shape):
        self.shift = self.add_weight(shape=(), initializer="zeros", trainable=False, name="shift")

    def call(self, x, training=False):
        return x if training else x + self.shift

    def save_own_variables(self, store):
        pass

    def load_own_variables(self, store):
        pass


@dataclass(frozen=True)
class Amnesiac(Small):
    """An autoencoder whose encoder loses a number in files."""

    def networks(self, data):
        networks = super().networks(data)
        encoder = keras.Sequential([keras.Input(data.shape), networks["encoder"], Forgetful()])
        return {**networks, "encoder": encoder}


plugin = Amnesiac()
