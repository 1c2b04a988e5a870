"""A layer adds 1e-4 to 1, which half precision rounds away, and takes a logarithm."""

from dataclasses import dataclass

import keras
from keras import layers

from tests.broken.sound import Small, ops


@keras.saving.register_keras_serializable("tests.broken")
class Cancelling(layers.Layer):
    """Adds nothing in a way that needs many digits."""

    def call(self, x):
        small = ops.full_like(x, 1e-4)
        return x + 0.0 * ops.log((small + 1.0) - 1.0)


@dataclass(frozen=True)
class Precise(Small):
    """An autoencoder that needs float32."""

    def networks(self, data):
        networks = super().networks(data)
        encoder = keras.Sequential([keras.Input(data.shape), networks["encoder"], Cancelling()])
        return {**networks, "encoder": encoder}


plugin = Precise()
