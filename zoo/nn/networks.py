"""Networks that models share: dense and convolutional encoders and decoders.

A discriminator or critic is an encoder whose head is a logit; a generator is a decoder.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from zoo.errors import ZooError, unknown
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
        """A layer of this kind, not followed by anything."""
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
        """``x`` after a hidden layer and all that follows it."""
        # the shift of a batch normalization does what a bias would
        x = self.linear(layer, *args, use_bias=self.normalization != "batch", **options)(x)
        return self.normalize_activate_dropout(x)

    def normalize_activate_dropout(self, x):
        """``x`` normalized, activated and dropped out."""
        if self.normalization:
            x = _NORMALIZATIONS[self.normalization]()(x)
        x = layers.Activation(self.activation)(x)
        return Dropout(self.dropout)(x) if self.dropout else x


def encoder(
    shape: Sequence[int],
    filters: int,
    hidden: Sequence[int],
    heads: Mapping[str, int],
    style: Style = Style(),
    classes: int = 0,
) -> keras.Model:
    """The encoder that suits examples of a shape.

    Args:
        shape: of an example.
        filters: of the convolutions of pictures at the largest map; they double as the maps
            halve, as often as ``halvings`` says.
        hidden: units of the dense layers: of pictures, those after the convolutions; else all.
        heads: as of ``dense_encoder``, as are the rest and what is returned.
    """
    if len(shape) != 3:
        return dense_encoder(shape, hidden, heads, style, classes)
    return conv_encoder(shape, doubled(filters, shape), heads, style, classes, hidden=hidden)


def decoder(
    latent_dim: int,
    filters: int,
    hidden: Sequence[int],
    shape: Sequence[int],
    style: Style = Style(),
    classes: int = 0,
    activation: str | None = None,
) -> keras.Model:
    """The decoder that mirrors ``encoder(shape, filters, hidden, ...)``.

    Args:
        latent_dim: as of ``dense_decoder``, as are the rest and what is returned.
        filters: those of the encoder.
        hidden: those of the encoder.
        shape: of an example.
    """
    dense = hidden[::-1]
    if len(shape) != 3:
        return dense_decoder(latent_dim, dense, shape, style, classes, activation)
    widths = doubled(filters, shape)
    return conv_decoder(latent_dim, widths, shape, style, classes, activation, hidden=dense)


def dense_encoder(
    shape: Sequence[int],
    hidden: Sequence[int],
    heads: Mapping[str, int],
    style: Style = Style(),
    classes: int = 0,
) -> keras.Model:
    """Examples of any shape to vectors, through dense layers.

    Args:
        shape: of an example.
        hidden: units of the hidden layers.
        heads: ``{name: units}`` of the linear layers at the end.
        style: of the layers.
        classes: of the labels that the network is conditional on; 0 for none.

    Returns:
        A model from ``(n, *shape)``, or ``[x, labels]`` where conditional, labels being
        int32 ``(n,)``, to ``(n, units)``; a list of them for several heads. The layer
        ``features`` is the last before the heads.
    """
    inputs = keras.Input(tuple(shape))
    x, given = _with_labels(layers.Flatten()(inputs), inputs, classes)
    for units in hidden:
        x = style.hidden(x, layers.Dense, units)
    return keras.Model(given, _heads(x, heads, style))


def conv_encoder(
    shape: Sequence[int],
    filters: Sequence[int],
    heads: Mapping[str, int],
    style: Style = Style(),
    classes: int = 0,
    kernel: int = 4,
    hidden: Sequence[int] = (),
) -> keras.Model:
    """Pictures to vectors, through convolutions that halve the sides.

    Args:
        shape: ``(height, width, channels)``.
        filters: of the convolutions of stride 2, the first first.
        heads: ``{name: units}`` of the linear layers at the end.
        style: of the layers.
        classes: of the labels that the network is conditional on, which are shown as
            one more map a class; 0 for none.
        kernel: side of the convolutions' kernels.
        hidden: units of dense layers after the convolutions.

    Returns:
        A model as that of ``dense_encoder``. The layer ``maps`` is the last convolution's
        output, flattened.

    Raises:
        ZooError: the sides do not halve evenly that often.
    """
    maps(shape, len(filters))
    inputs = keras.Input(tuple(shape))
    x, given = _with_labels(inputs, inputs, classes)
    for count in filters:
        x = style.hidden(x, layers.Conv2D, count, kernel, strides=2, padding="same")
    x = layers.Flatten(name="maps")(x)
    for units in hidden:
        x = style.hidden(x, layers.Dense, units)
    return keras.Model(given, _heads(x, heads, style))


def dense_decoder(
    latent_dim: int,
    hidden: Sequence[int],
    shape: Sequence[int],
    style: Style = Style(),
    classes: int = 0,
    activation: str | None = None,
    parameters: int = 1,
) -> keras.Model:
    """Vectors to examples of any shape, through dense layers.

    Args:
        latent_dim: of the vectors.
        hidden: units of the hidden layers.
        shape: of an example.
        style: of the layers.
        classes: of the labels that the network is conditional on; 0 for none.
        activation: of the output, by its Keras name; None for a linear one.
        parameters: outputs of that shape: two for a mean and a logarithmic scale.

    Returns:
        A model from ``(n, latent_dim)``, or ``[z, labels]`` where conditional, to
        ``(n, *shape)``; a list of them for several parameters.
    """
    latent = keras.Input((latent_dim,))
    x, given = _with_labels(latent, latent, classes)
    for units in hidden:
        x = style.hidden(x, layers.Dense, units)
    outputs = [
        layers.Activation(activation)(
            layers.Reshape(tuple(shape))(style.linear(layers.Dense, math.prod(shape))(x))
        )
        for _ in range(parameters)
    ]
    return keras.Model(given, outputs[0] if parameters == 1 else outputs)


def conv_decoder(
    latent_dim: int,
    filters: Sequence[int],
    shape: Sequence[int],
    style: Style = Style(),
    classes: int = 0,
    activation: str | None = None,
    parameters: int = 1,
    kernel: int = 4,
    hidden: Sequence[int] = (),
) -> keras.Model:
    """Vectors to pictures, through transposed convolutions that double the sides.

    Args:
        latent_dim: of the vectors.
        filters: as of the encoder that this one mirrors: those of the smallest map last.
        shape: ``(height, width, channels)``.
        style: of the layers.
        classes: of the labels that the network is conditional on; 0 for none.
        activation: of the output, by its Keras name; None for a linear one.
        parameters: outputs of that shape: two for a mean and a logarithmic scale.
        kernel: side of the convolutions' kernels.
        hidden: units of dense layers before the convolutions.

    Returns:
        A model as that of ``dense_decoder``.

    Raises:
        ZooError: the sides do not halve evenly that often.
    """
    small = (*maps(shape, len(filters))[-1], filters[-1])
    latent = keras.Input((latent_dim,))
    x, given = _with_labels(latent, latent, classes)
    for units in hidden:
        x = style.hidden(x, layers.Dense, units)
    x = style.linear(layers.Dense, math.prod(small), use_bias=style.normalization != "batch")(x)
    x = style.normalize_activate_dropout(layers.Reshape(small)(x))
    double: dict[str, Any] = {"strides": 2, "padding": "same"}
    for count in filters[-2::-1]:
        x = style.hidden(x, layers.Conv2DTranspose, count, kernel, **double)
    outputs = [
        layers.Activation(activation)(
            style.linear(layers.Conv2DTranspose, shape[-1], kernel, **double)(x)
        )
        for _ in range(parameters)
    ]
    return keras.Model(given, outputs[0] if parameters == 1 else outputs)


def maps(shape: Sequence[int], halvings: int) -> list[tuple[int, int]]:
    """Height and width after each halving of a picture, largest first: 28 gives 14, 7.

    Raises:
        ZooError: not a picture, no halving, or the sides do not halve evenly that often.
    """
    if len(shape) != 3:
        raise ZooError(f"convolutions need pictures (height, width, channels), not {tuple(shape)}")
    height, width, _ = shape
    most = 0
    while height % 2 ** (most + 1) == 0 == width % 2 ** (most + 1):
        most += 1
    if not 1 <= halvings <= most:
        raise ZooError(
            f"the sides of {height} x {width} pictures halve evenly {most} times: convolutions "
            f"in 1 to {most} layers, not in {halvings}"
        )
    return [(height // 2**i, width // 2**i) for i in range(1, halvings + 1)]


def halvings(shape: Sequence[int]) -> int:
    """How often a picture's sides halve while they are even and above 4: 28 and 32 twice, thrice.

    Raises:
        ZooError: not a picture, or not even once.
    """
    height, width = shape[:2] if len(shape) == 3 else (0, 0)
    count = 0
    while height % 2 == 0 and width % 2 == 0 and min(height, width) > 4:
        height, width, count = height // 2, width // 2, count + 1
    if not count:
        raise ZooError(f"pictures need sides that are even and above 4, not {tuple(shape)}")
    return count


def doubled(filters: int, shape: Sequence[int]) -> list[int]:
    """Filters of a picture's convolutions, that at the largest map first: each twice the last.

    Raises:
        ZooError: as ``halvings``.
    """
    return [filters * 2**i for i in range(halvings(shape))]


def _heads(x, heads, style):
    x = layers.Identity(name="features")(x)
    outputs = [style.linear(layers.Dense, units, name=name)(x) for name, units in heads.items()]
    return outputs[0] if len(outputs) == 1 else outputs


def _with_labels(x, inputs, classes):
    """``x`` with the labels beside its channels, and the inputs of the model."""
    if not classes:
        return x, inputs
    labels = keras.Input((), dtype="int32", name="labels")
    shown = ops.one_hot(labels, classes, dtype="float32")
    if len(x.shape) == 4:
        shown = ops.reshape(shown, (-1, 1, 1, classes)) * ops.ones_like(x[..., :1])
    return layers.Concatenate()([x, shown]), [inputs, labels]
