"""Layer normalization that can be differentiated twice."""

from __future__ import annotations

import keras
from keras import ops

from zoo.engine import accelerate


@keras.saving.register_keras_serializable("zoo")
class LayerNormalization(keras.layers.Layer):
    """Layer normalization (Ba et al. 2016, equations 3 and 4), for critics above all.

    y = gain * (x - mean) / sqrt(variance + epsilon) + bias, with the mean and variance of
    one example's numbers, all axes together, and a gain and bias per channel. So the critic
    of a gradient penalty sees each example by itself (Gulrajani et al. 2017, section 4).

    Keras's own layer normalizes over the last axis alone, and on TensorFlow its gradient is
    wrong when differentiated once more.

    Args:
        epsilon: added to the variance.
    """

    def __init__(self, epsilon: float = 1e-5, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape):
        channels = (input_shape[-1],)
        self.gain = self.add_weight(shape=channels, initializer="ones", name="gain")
        self.bias = self.add_weight(shape=channels, initializer="zeros", name="bias")

    def call(self, inputs):
        x, gain, bias = (ops.cast(t, "float32") for t in (inputs, self.gain, self.bias))
        own = accelerate.module("torch_layer_norm")
        if own and own.suits(x):
            return ops.cast(own.normalized(x, gain, bias, self.epsilon), inputs.dtype)
        axes = tuple(range(1, len(x.shape)))
        # not ops.moments, through whose mean TensorFlow passes no second gradient
        centred = x - ops.mean(x, axis=axes, keepdims=True)
        variance = ops.mean(ops.square(centred), axis=axes, keepdims=True)
        x = centred * ops.rsqrt(variance + self.epsilon)
        return ops.cast(x * gain + bias, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
