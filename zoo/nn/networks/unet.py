"""A U-Net that is told the time: the network of flow matching and of diffusion models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from zoo.errors import ZooError
from zoo.nn.networks.sizes import maps


def unet(
    *,
    shape: Sequence[int],
    filters: Sequence[int] = (32, 64),
    units: int = 128,
    hidden: int = 0,
    outputs: int | None = None,
    num_classes: int = 0,
    blocks: int = 1,
    activation: str = "silu",
) -> keras.Model:
    """Pictures and times to pictures of the same size (Ronneberger et al. 2015; Ho et al. 2020).

    The sides halve once for each number of filters, the first time before any block: a map of
    half the sides costs a quarter. Blocks are residual. Time and label scale and shift the channels
    within every block (Perez et al. 2018; Dhariwal & Nichol 2021, section 3). On the way up,
    blocks also see the map of the same size from the way down. In place of blocks at full size, the
    pictures themselves are added to the outputs, each channel scaled by a function of time and
    label: much of what is asked for is the noise that is in them.

    Args:
        shape: ``(height, width, channels)``; the sides halve evenly ``len(filters)`` times.
        filters: of the 3 x 3 convolutions at each size of the maps, the largest map first.
        units: of the vector that time and label become; an even number.
        hidden: units of the dense block at the smallest map, which sees all of the picture at
            once and costs little where that map is small; 0 for none.
        outputs: channels of what comes out; None for as many as the pictures have.
        num_classes: of the labels that the network is conditional on; 0 for none. The label
            ``num_classes`` stands for "no label", which classifier-free guidance needs.
        blocks: residual blocks at each size, on each way.
        activation: of the hidden layers, by its Keras name. A smooth one keeps backends together.

    Returns:
        A model from ``[x, t]``, or ``[x, t, labels]`` where conditional, to float32
        ``(n, height, width, outputs)``, not bounded. x is float32 ``(n, *shape)``, t float32
        ``(n,)`` in [0, 1], labels int32 ``(n,)`` from 0 to ``num_classes``.

    Raises:
        ZooError: not a picture, the sides do not halve evenly that often, or units is odd.
    """
    maps(shape, len(filters))
    if units < 2 or units % 2:
        raise ZooError(f"unet: units is an even number from 2, not {units}")
    picture = keras.Input(tuple(shape), name="x")
    t = keras.Input((), dtype="float32", name="t")
    given, told = [picture, t], layers.Dense(units, activation)(sinusoids(t, units))
    if num_classes:
        labels = keras.Input((), dtype="int32", name="labels")
        shown = ops.one_hot(labels, num_classes + 1, dtype="float32")
        told = told + layers.Dense(units, use_bias=False)(shown)
        given.append(labels)
    told = layers.Dense(units, activation)(told)

    def residual(x, count):
        def conv(count, **options):
            return layers.Conv2D(count, 3, padding="same", **options)

        same = x if x.shape[-1] == count else layers.Conv2D(count, 1)(x)
        return same + _branch(x, conv, count, told, activation)

    double: dict[str, Any] = {"strides": 2, "padding": "same"}
    x, skips = picture, []
    for count in filters:
        x = layers.Conv2D(count, 4, **double)(x)
        for _ in range(blocks):
            x = residual(x, count)
        skips.append(x)
    if hidden:
        x = x + _whole(x, hidden, told, activation)
    for i in reversed(range(len(filters))):
        x = layers.Concatenate()([x, skips[i]])
        for _ in range(blocks):
            x = residual(x, filters[i])
        x = layers.Activation(activation)(x)
        if i:
            x = layers.Conv2DTranspose(filters[i - 1], 4, **double)(x)
    outputs = outputs or shape[-1]
    x = layers.Conv2DTranspose(outputs, 4, kernel_initializer=_small(), **double)(x)
    share = layers.Dense(shape[-1] * outputs, kernel_initializer=_small())(told)
    share = layers.Reshape((1, 1, shape[-1], outputs))(share)
    x = x + ops.sum(ops.expand_dims(picture, -1) * share, axis=-2)
    return keras.Model(given, x)


def sinusoids(t, units: int, fastest: float = 100.0):
    """Sines and cosines of times (Vaswani et al. 2017, section 3.5).

    Args:
        t: float32 ``(n,)`` in [0, 1].
        units: how many numbers a time becomes; even.
        fastest: the highest angular frequency; the lowest is 1.

    Returns:
        float32 ``(n, units)``.
    """
    rates = np.geomspace(1.0, fastest, units // 2, dtype="float32")
    angles = ops.multiply(ops.expand_dims(t, 1), rates)
    return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=1)


def _branch(x, layer, count, told, activation):
    """Two layers of this kind, each after an activation; time and label act between them."""
    y = layer(count)(layers.Activation(activation)(x))
    film = layers.Dense(2 * count)(told)
    film = layers.Reshape((*(1 for _ in y.shape[2:]), 2 * count))(film)
    scale, shift = ops.split(film, 2, axis=-1)
    y = layers.Activation(activation)(y * (1 + scale) + shift)
    return layer(count, kernel_initializer=_small())(y)


def _small():
    """Of the last layers: at first, a block changes little and the outputs are near 0."""
    return keras.initializers.VarianceScaling(0.01, "fan_avg", "uniform")


def _whole(x, hidden, told, activation):
    """A map of the same shape, made by dense layers of ``x`` as a whole."""
    y = layers.Dense(hidden)(layers.Flatten()(layers.Activation(activation)(x)))
    y = y + _branch(y, layers.Dense, hidden, told, activation)
    y = layers.Dense(x.shape[1] * x.shape[2] * x.shape[3])(layers.Activation(activation)(y))
    return layers.Reshape(x.shape[1:])(y)
