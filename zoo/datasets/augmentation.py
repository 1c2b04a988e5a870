"""Training batches changed at random by Keras layers, the same way for one seed."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from zoo.errors import ZooError
from zoo.random import host


class Augmentation:
    """Layers such as ``keras.layers.RandomFlip`` in a row, made a function of their place.

    Before each batch, every generator that the layers draw from is set from the seed, the epoch
    and the batch, so that a run that goes on from a step sees what it would have seen. The
    numbers are the backend's, other ones on each. Layers of keras-cv, which draw from
    TensorFlow's generators under every backend, are set likewise.

    Args:
        layers: called in turn on pictures in 0 to 255, or on float vectors.
        seed: of the run.
    """

    def __init__(self, layers: Sequence[keras.layers.Layer], seed: int):
        self._layers, self._seed = list(layers), seed

    def __call__(self, x: np.ndarray, epoch: int, index: int) -> np.ndarray:
        """A batch of the same shape and type; uint8 is rounded and kept in 0 to 255.

        Raises:
            ZooError: a layer fails, as one that needs labels does, or changes the shape.
        """
        bits = host(self._seed, "augment", epoch, index)
        changed: Any = x.astype("float32")
        for layer in self._layers:
            name = type(layer).__name__
            with _seeded(layer, bits):
                try:
                    changed = layer(changed, training=True)
                    shape = tuple(changed.shape)
                except Exception as error:
                    reason = " ".join(str(error).split())[:300]
                    raise ZooError(
                        f"recipe.augment: {name} failed on {x.shape}: {reason}"
                    ) from error
            if shape != x.shape:
                raise ZooError(
                    f"recipe.augment: {name} made {shape} of a batch {x.shape}, and the shape has "
                    "to stay"
                )
        changed = keras.ops.convert_to_numpy(changed)
        if x.dtype == np.uint8:
            changed = np.clip(np.rint(changed), 0, 255)
        return changed.astype(x.dtype)


@contextlib.contextmanager
def _seeded(layer: keras.layers.Layer, bits: np.random.Philox) -> Iterator[None]:
    """The generators of a layer, and of those within it, set; Python's own as it was after."""
    before = random.getstate()  # some layers draw from it
    if type(layer).__module__.startswith("keras_cv"):
        keras.utils.set_random_seed(_word(bits))
    random.seed(_word(bits))
    for part in layer._flatten_layers(include_self=True):
        for generator in part._seed_generators:
            generator.state.assign(np.array([_word(bits), _word(bits)], "uint32"))
        if hasattr(part, "_random_generator"):  # keras-cv's, of TensorFlow
            part._random_generator.reset_from_seed(_word(bits))
    try:
        yield
    finally:
        random.setstate(before)


def _word(bits: np.random.Philox) -> int:
    """31 random bits: every generator takes so many."""
    return int(bits.random_raw()) >> 33
