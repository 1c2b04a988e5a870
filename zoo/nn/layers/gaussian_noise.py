"""Additive normal noise."""

from __future__ import annotations

import keras
from keras import ops

from zoo import random


@keras.saving.register_keras_serializable("zoo")
class GaussianNoise(keras.layers.Layer):
    """Adds normal noise while training, the same on every backend.

    The isotropic corruption of a denoising autoencoder (Vincent et al. 2010, section 3.3),
    and the noise on a discriminator's inputs (Sønderby et al. 2017). Keras's own layer
    draws from the backend's generator; this one draws from the training step.

    Args:
        stddev: of the noise, in the units of the inputs, at least 0.

    Raises:
        ValueError: the standard deviation is negative.
    """

    def __init__(self, stddev: float, **kwargs):
        super().__init__(**kwargs)
        if not stddev >= 0:
            raise ValueError(f"GaussianNoise's stddev must be at least 0, not {stddev}")
        self.stddev = stddev
        self.built = True

    def call(self, inputs, training=False):
        if not training or self.stddev == 0:
            return inputs
        noise = random.current().normal(ops.shape(inputs), stddev=self.stddev)
        return inputs + ops.cast(noise, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev}
