"""A scale that all outputs of a decoder share."""

from __future__ import annotations

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("zoo")
class SharedScale(layers.Layer):
    """One learned number in the shape of the input: a logarithmic variance or scale.

    It starts at -2, near what fits pictures in [0, 1] of which the decoder knows nothing yet: a
    standard deviation of 0.37 for a normal, of 0.25 for a logistic distribution.
    """

    def build(self, shape):
        start = keras.initializers.Constant(-2.0)
        self.log_scale = self.add_weight(shape=(), initializer=start, name="log_scale")

    def call(self, x):
        return ops.zeros_like(x) + self.log_scale
