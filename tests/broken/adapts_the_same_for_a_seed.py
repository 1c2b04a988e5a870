"""A statistic of the data is set from NumPy's own generator."""

from dataclasses import dataclass

import keras
import numpy as np

from tests.broken.sound import Small


class Mean(keras.layers.Layer):
    """A number for each value of an example."""

    def build(self, shape):
        self.mean = self.add_weight(shape[1:], "zeros", trainable=False, name="mean")

    def call(self, x):
        return x - self.mean


@dataclass(frozen=True)
class Guessing(Small):
    """An autoencoder with a mean picture that is none."""

    def networks(self, data):
        mean = Mean()
        mean.build((None, *data.shape))
        return {**super().networks(data), "mean": mean}

    def adapt(self, networks, batch, rng):
        mean = networks["mean"].mean
        mean.assign(np.random.default_rng().normal(size=mean.shape))


plugin = Guessing()
