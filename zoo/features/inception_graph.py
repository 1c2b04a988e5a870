"""The graph of Inception of 2015-12-05, up to its pool features, as a Keras network.

Named as its conversion to PyTorch names it. It differs from Inception v3 of Keras and torchvision:
average pooling leaves padding out of the count, the last block pools by the maximum, and the head
has 1,008 classes.
"""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
from keras import layers, ops

from zoo.errors import ZooError

SIDE = 299
"""Pixels of a side of the pictures that it takes."""

HEAD = (1008, 2048)
"""Of the weights that make logits of the features."""

_EPSILON = 1e-3  # of the batch normalizations


def network(weights: Mapping[str, np.ndarray], where: str) -> keras.Model:
    """The network, from pictures ``(n, 299, 299, 3)`` in [-1, 1) to features ``(n, 2048)``.

    Args:
        weights: ``{name: array}`` of the state dict.
        where: the file, for messages.

    Raises:
        ZooError: an array is missing, or of another shape.
    """
    built = _Graph(weights, where)
    built.array("fc.weight", HEAD)
    inputs = keras.Input((SIDE, SIDE, 3), dtype="float32")
    model = keras.Model(inputs, _pool_features(inputs, built))
    built.assign()
    return model


def _pool_features(x, net: _Graph):
    x = net.conv(x, "Conv2d_1a_3x3", 32, 3, strides=2)
    x = net.conv(x, "Conv2d_2a_3x3", 32, 3)
    x = net.conv(x, "Conv2d_2b_3x3", 64, 3, padding="same")
    x = _max_pool(x)
    x = net.conv(x, "Conv2d_3b_1x1", 80, 1)
    x = net.conv(x, "Conv2d_4a_3x3", 192, 3)
    x = _max_pool(x)
    for name, filters in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
        x = _block_5(x, net, name, filters)
    x = _block_6a(x, net, "Mixed_6a")
    for name, width in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
        x = _block_6(x, net, name, width)
    x = _block_7a(x, net, "Mixed_7a")
    x = _block_7(x, net, "Mixed_7b", _average)
    x = _block_7(x, net, "Mixed_7c", _maximum)
    return ops.mean(x, axis=(1, 2))


def _block_5(x, net, name, filters):
    small = net.conv(x, f"{name}.branch1x1", 64, 1)
    five = net.conv(x, f"{name}.branch5x5_1", 48, 1)
    five = net.conv(five, f"{name}.branch5x5_2", 64, 5, padding="same")
    three = net.conv(x, f"{name}.branch3x3dbl_1", 64, 1)
    three = net.conv(three, f"{name}.branch3x3dbl_2", 96, 3, padding="same")
    three = net.conv(three, f"{name}.branch3x3dbl_3", 96, 3, padding="same")
    pooled = net.conv(_average(x), f"{name}.branch_pool", filters, 1)
    return ops.concatenate([small, five, three, pooled], axis=-1)


def _block_6a(x, net, name):
    one = net.conv(x, f"{name}.branch3x3", 384, 3, strides=2)
    two = net.conv(x, f"{name}.branch3x3dbl_1", 64, 1)
    two = net.conv(two, f"{name}.branch3x3dbl_2", 96, 3, padding="same")
    two = net.conv(two, f"{name}.branch3x3dbl_3", 96, 3, strides=2)
    return ops.concatenate([one, two, _max_pool(x)], axis=-1)


def _block_6(x, net, name, width):
    small = net.conv(x, f"{name}.branch1x1", 192, 1)
    one = net.conv(x, f"{name}.branch7x7_1", width, 1)
    one = net.conv(one, f"{name}.branch7x7_2", width, (1, 7), padding="same")
    one = net.conv(one, f"{name}.branch7x7_3", 192, (7, 1), padding="same")
    two = net.conv(x, f"{name}.branch7x7dbl_1", width, 1)
    two = net.conv(two, f"{name}.branch7x7dbl_2", width, (7, 1), padding="same")
    two = net.conv(two, f"{name}.branch7x7dbl_3", width, (1, 7), padding="same")
    two = net.conv(two, f"{name}.branch7x7dbl_4", width, (7, 1), padding="same")
    two = net.conv(two, f"{name}.branch7x7dbl_5", 192, (1, 7), padding="same")
    pooled = net.conv(_average(x), f"{name}.branch_pool", 192, 1)
    return ops.concatenate([small, one, two, pooled], axis=-1)


def _block_7a(x, net, name):
    one = net.conv(x, f"{name}.branch3x3_1", 192, 1)
    one = net.conv(one, f"{name}.branch3x3_2", 320, 3, strides=2)
    two = net.conv(x, f"{name}.branch7x7x3_1", 192, 1)
    two = net.conv(two, f"{name}.branch7x7x3_2", 192, (1, 7), padding="same")
    two = net.conv(two, f"{name}.branch7x7x3_3", 192, (7, 1), padding="same")
    two = net.conv(two, f"{name}.branch7x7x3_4", 192, 3, strides=2)
    return ops.concatenate([one, two, _max_pool(x)], axis=-1)


def _block_7(x, net, name, pool):
    small = net.conv(x, f"{name}.branch1x1", 320, 1)
    one = net.conv(x, f"{name}.branch3x3_1", 384, 1)
    one_a = net.conv(one, f"{name}.branch3x3_2a", 384, (1, 3), padding="same")
    one_b = net.conv(one, f"{name}.branch3x3_2b", 384, (3, 1), padding="same")
    two = net.conv(x, f"{name}.branch3x3dbl_1", 448, 1)
    two = net.conv(two, f"{name}.branch3x3dbl_2", 384, 3, padding="same")
    two_a = net.conv(two, f"{name}.branch3x3dbl_3a", 384, (1, 3), padding="same")
    two_b = net.conv(two, f"{name}.branch3x3dbl_3b", 384, (3, 1), padding="same")
    pooled = net.conv(pool(x), f"{name}.branch_pool", 192, 1)
    return ops.concatenate([small, one_a, one_b, two_a, two_b, pooled], axis=-1)


def _max_pool(x):
    return ops.max_pool(x, 3, 2, "valid")


def _padded(x):
    return ops.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])


def _maximum(x):
    """The maximum of 3 x 3 values; what comes out of a ReLU is never below the padding's 0."""
    return ops.max_pool(_padded(x), 3, 1, "valid")


def _average(x):
    """The mean of 3 x 3 values, of fewer at the border: padding does not count."""
    counts = [
        np.minimum(np.minimum(np.arange(n) + 2, 3), n - np.arange(n) + 1) for n in x.shape[1:3]
    ]
    counted = (9 / np.outer(*counts)).astype("float32")[:, :, np.newaxis]
    return ops.average_pool(_padded(x), 3, 1, "valid") * ops.convert_to_tensor(counted)


class _Graph:
    """Makes layers, and gives them the weights of a file when all of them are known to fit."""

    def __init__(self, weights: Mapping[str, np.ndarray], where: str):
        self._weights, self._where = weights, where
        self._made: list[tuple[keras.layers.Layer, np.ndarray, np.ndarray]] = []

    def conv(self, x, name, filters, size, strides=1, padding="valid"):
        """A convolution with the normalization that follows it, as one, and a ReLU."""
        sides = (size, size) if isinstance(size, int) else size
        kernel = self.array(f"{name}.conv.weight", (filters, x.shape[-1], *sides))
        scale, offset, mean, variance = (
            self.array(f"{name}.bn.{part}", (filters,))
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        factor = scale.astype("float64") / np.sqrt(variance.astype("float64") + _EPSILON)
        kernel = kernel.transpose(2, 3, 1, 0) * factor
        layer = layers.Conv2D(
            filters,
            sides,
            strides,
            padding,
            activation="relu",
            kernel_initializer="zeros",
            dtype="float32",
        )
        self._made.append((layer, kernel, offset - mean * factor))
        return layer(x)

    def assign(self) -> None:
        """Give all layers their weights."""
        for layer, kernel, bias in self._made:
            layer.kernel.assign(kernel.astype("float32"))
            layer.bias.assign(bias.astype("float32"))

    def array(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """An array of the file; ``ZooError`` where it is missing or of another shape."""
        found = self._weights.get(name)
        if found is None or found.shape != shape:
            came = "has none" if found is None else f"has {found.shape}"
            raise ZooError(
                f"{self._where} holds other weights than those of Inception of 2015: {name} is of "
                f"shape {shape}, and the file {came}"
            )
        return found
