"""Dropout."""

from __future__ import annotations

import keras
from keras import ops

from zoo import random


@keras.saving.register_keras_serializable("zoo")
class Dropout(keras.layers.Layer):
    """Dropout (Srivastava et al. 2014), the same units on every backend.

    Keras's own layer draws from the backend's generator; this one draws from the
    training step of the zoo model it is part of.

    Args:
        rate: fraction of the units set to zero while training, in [0, 1), to the nearest
            1 / 65,536; the rest are scaled by ``1 / (1 - rate)``.

    Raises:
        ValueError: the rate is not in [0, 1).
    """

    def __init__(self, rate: float, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"Dropout's rate must be in [0, 1), not {rate}")
        self.rate = rate
        self.built = True

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        keep = random.current().bernoulli(ops.shape(inputs), 1 - self.rate)
        return inputs * ops.cast(keep, inputs.dtype) / (1 - self.rate)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}
