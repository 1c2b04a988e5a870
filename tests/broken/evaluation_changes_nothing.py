"""A layer counts what it has seen in evaluation too."""

from dataclasses import dataclass

import keras
from keras import layers

from tests.broken.sound import Small


@keras.saving.register_keras_serializable("tests.broken")
class Counting(layers.Layer):
    """Counts its calls."""

    def build(self, shape):
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")

    def call(self, x):
        self.count.assign(self.count + 1.0)
        return x


@dataclass(frozen=True)
class Watchful(Small):
    """An autoencoder that counts its batches."""

    def networks(self, data):
        networks = super().networks(data)
        encoder = keras.Sequential([keras.Input(data.shape), Counting(), networks["encoder"]])
        return {**networks, "encoder": encoder}


plugin = Watchful()
