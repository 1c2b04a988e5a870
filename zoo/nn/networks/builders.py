"""Encoders and decoders, generators and discriminators made as they are, and translators."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import layers, ops

from zoo.errors import ZooError
from zoo.nn.layers import SharedScale
from zoo.nn.networks.sizes import maps
from zoo.nn.networks.style import Style

Outputs = int | Sequence[int] | Mapping[str, int | Sequence[int]]

_PLAIN, _LEAKY, _RELU = Style(), Style("leaky_relu"), Style("relu")
_NORMALIZED = Style("relu", "layer")


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
        shape: shape of one example: ``(height, width, channels)`` where there are filters.
        filters: filters of each convolution of stride 2, in order; none by default.
        units: units of each dense layer after them, in order.
        outputs: units of the linear layer at the end; or ``{name: units}`` for several layers.
        num_classes: number of classes of a conditional network; 0 for an unconditional one.
            The label joins the input, one-hot: one more channel per class, or one more
            number per class where there are no filters.
        style: activation, normalization and the like of all layers.
        kernel: side of the convolutions' kernels.

    Returns:
        A model from ``(n, *shape)`` to ``(n, units)``, or to a list of such tensors for several
        outputs. A conditional one takes ``[x, labels]``, labels being int32 ``(n,)``. Its layer
        ``maps`` gives the last convolution's output, flattened; its layer ``features`` gives
        what the outputs are computed from.

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
        shape: shape of one vector, such as ``(16,)``.
        filters: filters of the maps that transposed convolutions of stride 2 double, the
            smallest map first: an encoder's filters in reverse.
        units: units of each dense layer before them, in order.
        outputs: shape of one example; or ``{name: shape}`` for several outputs. An output of
            shape ``()`` is one learned number, repeated in the shape of the first output.
        num_classes: number of classes of a conditional network; 0 for an unconditional one.
        style: activation, normalization and the like of all layers.
        kernel: side of the convolutions' kernels.
        activation: activation of the outputs, by its Keras name; None for linear outputs.

    Returns:
        A model from ``(n, *shape)`` to ``(n, *outputs)``, or to a list of such tensors for
        several outputs. A conditional one takes ``[z, labels]``, labels being int32 ``(n,)``.

    Raises:
        ZooError: the inputs are no vectors, or the sides do not halve evenly that often.
    """
    if len(_sizes(shape)) != 1:
        raise ZooError(
            f"a decoder or generator takes vectors, such as shape=(16,), not {tuple(shape)}: from "
            "pictures to pictures there are networks.translator and networks.unet"
        )
    latent = keras.Input(_sizes(shape))
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
    """An ``encoder`` to one logit per example, ``(n, 1)``, or to a critic's score.

    Arguments and errors are those of ``zoo.nn.networks.encoder``.
    """
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
    """A ``decoder`` that ends in a tanh for pictures, in [-1, 1]; other examples are linear.

    Arguments and errors are those of ``zoo.nn.networks.decoder``.
    """
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


def translator(
    *,
    shape: Sequence[int],
    filters: Sequence[int],
    outputs: Sequence[int],
    num_classes: int = 0,
    style: Style = _NORMALIZED,
    kernel: int = 4,
    blocks: int = 2,
    activation: str | None = "tanh",
) -> keras.Model:
    """Pictures to pictures of the same size, through residual blocks at a smaller size.

    The generator of CycleGAN (Zhu et al. 2017, section 7.2; Johnson et al. 2016), without
    convolutions at full size: convolutions halve the sides, transposed ones double them. It
    normalizes each example over all channels, where the paper does so in each channel alone.

    Args:
        shape: shape of what goes in, ``(height, width, channels)``.
        filters: filters of each convolution of stride 2, in order; of those that double the sides
            in reverse.
        outputs: shape of what comes out, of the same height and width.
        num_classes: number of classes of a conditional network; 0 for an unconditional one.
        style: activation, normalization and the like of all layers.
        kernel: side of the kernels of stride 2.
        blocks: residual blocks of two 3 x 3 convolutions at the smallest size.
        activation: of the outputs, by its Keras name; None for linear outputs.

    Returns:
        A model from ``(n, *shape)`` to ``(n, *outputs)``. A conditional one takes
        ``[x, labels]``, labels being int32 ``(n,)``.

    Raises:
        ZooError: not pictures, of two sizes, or the sides do not halve evenly that often.
    """
    maps(shape, len(filters))
    if len(outputs) != 3 or tuple(outputs[:2]) != tuple(shape[:2]):
        raise ZooError(
            f"a translator from {tuple(shape)} gives pictures of the same height and width, such "
            f"as outputs={(*shape[:2], 3)}, not {tuple(outputs)}"
        )
    inputs = keras.Input(tuple(shape))
    x, given = _with_labels(inputs, inputs, num_classes)
    sized: dict[str, Any] = {"kernel_size": kernel, "strides": 2, "padding": "same"}
    for count in filters:
        x = style.hidden(x, layers.Conv2D, count, **sized)
    for _ in range(blocks):
        y = style.hidden(x, layers.Conv2D, filters[-1], 3, padding="same")
        x = x + style.linear(layers.Conv2D, filters[-1], 3, padding="same")(y)
    for count in reversed(filters[:-1]):
        x = style.hidden(x, layers.Conv2DTranspose, count, **sized)
    x = style.linear(layers.Conv2DTranspose, outputs[-1], **sized)(x)
    return keras.Model(given, layers.Activation(activation)(x))


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
