"""Maxout units."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable("zoo")
class Maxout(keras.layers.Layer):
    """A dense layer of maxout units (Goodfellow et al. 2013, section 3).

    h_i(x) = max_j (x W_ij + b_ij), j = 1 ... pieces: the largest of several linear functions
    of the input, ``(n, d)``, for each unit, ``(n, units)``.

    Args:
        units: of the layer, at least 1.
        pieces: linear functions per unit, at least 1.
        kernel_initializer: a Keras initializer or its name.

    Raises:
        ValueError: units or pieces are less than 1.
    """

    def __init__(self, units: int, pieces: int, kernel_initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        if units < 1 or pieces < 1:
            raise ValueError(f"Maxout needs units and pieces of 1 or more, not {units}, {pieces}")
        self.units, self.pieces = units, pieces
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        columns = self.units * self.pieces
        self.kernel = self.add_weight(
            shape=(input_shape[-1], columns), initializer=self.kernel_initializer, name="kernel"
        )
        self.bias = self.add_weight(shape=(columns,), initializer="zeros", name="bias")

    def call(self, inputs):
        linear = ops.matmul(inputs, self.kernel) + self.bias
        return ops.max(ops.reshape(linear, (-1, self.units, self.pieces)), axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        own = {
            "units": self.units,
            "pieces": self.pieces,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
        return {**super().get_config(), **own}
