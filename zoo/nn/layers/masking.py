"""Masking noise."""

from __future__ import annotations

import keras
from keras import ops

from zoo import random


@keras.saving.register_keras_serializable("zoo")
class Masking(keras.layers.Layer):
    """Masking noise, the corruption of a denoising autoencoder (Vincent et al. 2008).

    While training, every number of an example is set to zero with the same probability
    (section 2.3 there sets a fixed count of them to zero); the rest stay as they are. The
    draws are those of the training step, the same on every backend.

    Args:
        rate: probability of being set to zero, in [0, 1), to the nearest 1 / 65,536.

    Raises:
        ValueError: the rate is not in [0, 1).
    """

    def __init__(self, rate: float, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"Masking's rate must be in [0, 1), not {rate}")
        self.rate = rate
        self.built = True

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        keep = random.current().bernoulli(ops.shape(inputs), 1 - self.rate)
        return inputs * ops.cast(keep, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}
