"""What the layers of a network have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras import layers

from zoo.errors import unknown
from zoo.nn.layers import Dropout, LayerNormalization, SpectralNormalization

_NORMALIZATIONS = {"batch": layers.BatchNormalization, "layer": LayerNormalization}


@dataclass(frozen=True)
class Style:
    """What a network's layers have in common.

    Attributes:
        activation: of the hidden layers, by its Keras name; ``"leaky_relu"`` has slope 0.2.
        normalization: of the hidden layers, before their activation: ``"batch"``,
            ``"layer"`` or None.
        dropout: rate after each hidden layer, in [0, 1).
        initializer: of all kernels, a Keras initializer or its name.
        constraint: of all kernels and biases, a Keras constraint or None.
        spectral: whether every layer is divided by its kernel's largest singular value
            (Miyato et al. 2018).
    """

    activation: str = "silu"
    normalization: str | None = None
    dropout: float = 0.0
    initializer: Any = "glorot_uniform"
    constraint: Any = None
    spectral: bool = False

    def __post_init__(self):
        if self.normalization is not None and self.normalization not in _NORMALIZATIONS:
            raise unknown("normalization", self.normalization, _NORMALIZATIONS)

    def linear(self, layer: type, *args, use_bias: bool = True, **options) -> layers.Layer:
        """A layer of this kind, such as ``keras.layers.Dense``, without activation."""
        made = layer(
            *args,
            use_bias=use_bias,
            kernel_initializer=self.initializer,
            kernel_constraint=self.constraint,
            bias_constraint=self.constraint,
            **options,
        )
        return SpectralNormalization(made) if self.spectral else made

    def hidden(self, x, layer: type, *args, **options):
        """``x`` through such a layer, then normalization, activation and dropout."""
        # the shift of a batch normalization does what a bias would
        x = self.linear(layer, *args, use_bias=self.normalization != "batch", **options)(x)
        return self.normalize_activate_dropout(x)

    def normalize_activate_dropout(self, x):
        """``x`` normalized, activated and dropped out."""
        if self.normalization:
            x = _NORMALIZATIONS[self.normalization]()(x)
        x = layers.Activation(self.activation)(x)
        return Dropout(self.dropout)(x) if self.dropout else x
