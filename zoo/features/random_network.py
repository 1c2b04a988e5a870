"""A fixed random convolutional network: a sanity check."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass

import keras
import numpy as np

from zoo.features.batches import batched, three_channels
from zoo.plugin.features import Extractor, FeatureSpace
from zoo.plugin.metric import unit

_FILTERS = (32, 64, 128)
_SEED = 0
_AT_ONCE = 256


@dataclass(frozen=True)
class RandomNetwork(FeatureSpace):
    """Averages over the maps of a random convolutional network: a sanity check, and no measure.

    Three 3 x 3 convolutions with stride 2, of 32, 64 and 128 filters with ReLU. Weights are
    normal with a variance of 2 / inputs (He et al. 2015), from NumPy's ``RandomState(0)``: the
    same on every backend and machine. Grey pictures are given as three equal channels.
    """

    def load(self, data):
        return _extractor(data.spec.shape[:2])


@functools.lru_cache(maxsize=1)  # the metrics of a run ask the same one
def _extractor(sides: tuple[int, int]) -> Extractor:
    drawn = np.random.RandomState(_SEED)
    x = inputs = keras.Input((*sides, 3), dtype="float32")
    kernels = []
    for filters in _FILTERS:
        layer = keras.layers.Conv2D(
            filters,
            3,
            2,
            "same",
            activation="relu",
            kernel_initializer="zeros",
            use_bias=False,
            dtype="float32",
        )
        x = layer(x)
        shape = layer.kernel.shape
        kernel = drawn.standard_normal(shape) * np.sqrt(2 / np.prod(shape[:-1]))
        kernels.append(kernel.astype("float32"))
        layer.kernel.assign(kernels[-1])
    network = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))
    of_network = batched(lambda x: network(x, training=False), network.variables, _AT_ONCE)
    return Extractor(
        "a random network (a sanity check)",
        hashlib.sha256(b"".join(kernel.tobytes() for kernel in kernels)).hexdigest(),
        _FILTERS[-1],
        lambda x: of_network(2 * three_channels(unit(x)) - 1),
    )
