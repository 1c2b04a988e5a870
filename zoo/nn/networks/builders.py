"""Encoders and decoders, and the generators and discriminators that are made as they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import layers, ops

from zoo.nn.layers import SharedScale
from zoo.nn.networks.sizes import maps
from zoo.nn.networks.style import Style

Outputs = int | Sequence[int] | Mapping[str, int | Sequence[int]]

_PLAIN, _LEAKY, _RELU = Style(), Style("leaky_relu"), Style("relu")


def encoder(
    *,
    shape: Sequence[int],
    filters: Sequence[int] = (),
    units: Sequence[int] = (),
    outputs: Outputs,
    num_classes: int = 0,
    style: Style = _PLAIN,
    kernel: int = 4,
) -> keras.Model:
    """Examples to vectors, through convolutions that halve the sides, if any, and dense layers.

    Args:
        shape: of an example: ``(height, width, channels)`` where there are filters.
        filters: of the convolutions of stride 2, in order.
        units: of the dense layers after them, in order.
        outputs: units of the linear layer at the end; or ``{name: units}`` of several.
        num_classes: of the labels that the network is conditional on, which are shown beside
            its input: a map for each class, or a number each; 0 for none.
        style: of the layers.
        kernel: side of the convolutions' kernels.

    Returns:
        A model from ``(n, *shape)``, or from ``[x, labels]`` where conditional, labels being
        int32 ``(n,)``, to ``(n, units)``; to a list of them for several outputs. The layer
        ``maps`` is the last convolution's output, flattened, and ``features`` the last before the
        outputs.

    Raises:
        ZooError: the sides do not halve evenly that often.
    """
    inputs = keras.Input(tuple(shape))
    if filters:
        maps(shape, len(filters))
        x, given = _with_labels(inputs, inputs, num_classes)
        for count in filters:
            x = style.hidden(x, layers.Conv2D, count, kernel, strides=2, padding="same")
        x = layers.Flatten(name="maps")(x)
    else:
        x, given = _with_labels(layers.Flatten()(inputs), inputs, num_classes)
    for count in units:
        x = style.hidden(x, layers.Dense, count)
    x = layers.Identity(name="features")(x)
    return _model(given, outputs, lambda size, name: _vector(x, size, style, name))


def decoder(
    *,
    shape: Sequence[int],
    filters: Sequence[int] = (),
    units: Sequence[int] = (),
    outputs: Outputs,
    num_classes: int = 0,
    style: Style = _PLAIN,
    kernel: int = 4,
    activation: str | None = None,
) -> keras.Model:
    """Vectors to examples, through dense layers and, if any, convolutions that double the sides.

    Args:
        shape: of a vector.
        filters: of the maps that are doubled by transposed convolutions of stride 2, the
            smallest map's first. They mirror an encoder's filters in reverse.
        units: of the dense layers before them, in order.
        outputs: shape of an example; or ``{name: shape}`` of several outputs. Of shape ``()`` is
            one learned number, in the shape of the first output.
        num_classes: of the labels that the network is conditional on; 0 for none.
        style: of the layers.
        kernel: side of the convolutions' kernels.
        activation: of the outputs, by its Keras name; None for linear ones.

    Returns:
        A model from ``(n, *shape)``, or ``[z, labels]`` where conditional, to ``(n, *outputs)``;
        to a list of them for several outputs.

    Raises:
        ZooError: the sides do not halve evenly that often.
    """
    latent = keras.Input(tuple(shape))
    x, given = _with_labels(latent, latent, num_classes)
    for count in units:
        x = style.hidden(x, layers.Dense, count)
    if not filters:
        return _model(given, outputs, lambda size, _: _example(x, size, style, activation))
    first = next(iter(outputs.values())) if isinstance(outputs, Mapping) else outputs
    small = (*maps(_sizes(first), len(filters))[-1], filters[0])
    x = style.linear(layers.Dense, math.prod(small), use_bias=style.normalization != "batch")(x)
    x = style.normalize_activate_dropout(layers.Reshape(small)(x))
    double: dict[str, Any] = {"kernel_size": kernel, "strides": 2, "padding": "same"}
    for count in filters[1:]:
        x = style.hidden(x, layers.Conv2DTranspose, count, **double)

    def picture(size, _):
        made = style.linear(layers.Conv2DTranspose, size[-1], **double)(x)
        return layers.Activation(activation)(made)

    return _model(given, outputs, picture)


def discriminator(
    *,
    shape: Sequence[int],
    filters: Sequence[int] = (),
    units: Sequence[int] = (),
    num_classes: int = 0,
    style: Style = _LEAKY,
    kernel: int = 4,
) -> keras.Model:
    """An ``encoder`` to one logit, ``(n, 1)``; a critic's score is one too."""
    return encoder(
        shape=shape,
        filters=filters,
        units=units,
        outputs={"logit": 1},
        num_classes=num_classes,
        style=style,
        kernel=kernel,
    )


def generator(
    *,
    shape: Sequence[int],
    filters: Sequence[int] = (),
    units: Sequence[int] = (),
    outputs: Sequence[int],
    num_classes: int = 0,
    style: Style = _RELU,
    kernel: int = 4,
) -> keras.Model:
    """A ``decoder`` to examples in [-1, 1] by a tanh for pictures, and linear for the rest."""
    return decoder(
        shape=shape,
        filters=filters,
        units=units,
        outputs=outputs,
        num_classes=num_classes,
        style=style,
        kernel=kernel,
        activation="tanh" if len(outputs) == 3 else None,
    )


def _model(given, outputs, made):
    """The model of one output or of several, each ``made(shape, name)``."""
    if not isinstance(outputs, Mapping):
        return keras.Model(given, made(_sizes(outputs), None))
    found: list[Any] = []
    for name, size in outputs.items():
        shape = _sizes(size)
        found.append(made(shape, name) if shape else SharedScale(name=name)(found[0]))
    return keras.Model(given, found[0] if len(found) == 1 else found)


def _sizes(shape) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)


def _vector(x, shape, style, name):
    return style.linear(layers.Dense, math.prod(shape), name=name)(x)


def _example(x, shape, style, activation):
    flat = style.linear(layers.Dense, math.prod(shape))(x)
    return layers.Activation(activation)(layers.Reshape(shape)(flat))


def _with_labels(x, inputs, num_classes):
    """``x`` with the labels beside its channels, and the inputs of the model."""
    if not num_classes:
        return x, inputs
    labels = keras.Input((), dtype="int32", name="labels")
    shown = ops.one_hot(labels, num_classes, dtype="float32")
    if len(x.shape) == 4:
        shown = ops.reshape(shown, (-1, 1, 1, num_classes)) * ops.ones_like(x[..., :1])
    return layers.Concatenate()([x, shown]), [inputs, labels]
