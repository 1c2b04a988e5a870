"""Initial weights from the seed: the same numbers on every backend.

Keras's initializers draw from the backend's own generator. Here the same
distributions are drawn on the host, for whatever random initializer a layer names.
"""

from __future__ import annotations

import keras
import numpy as np

from zoo import random
from zoo.runtime import first_values


def redraw(networks, seed: int, kept=()) -> None:
    """Give every weight with a random Keras initializer a value from the seed.

    A layer names its initializers after its weights (``kernel``, ``kernel_initializer``),
    as Keras's do; a weight of a layer that does not keeps the value it has.

    Args:
        networks: pairs ``(name, network)``.
        seed: the experiment's seed.
        kept: ``id`` of variables that keep their value.
    """
    done: set[int] = set()
    for name, network in networks:
        for place, (layer, variable) in enumerate(_weights(network)):
            initializer = _initializer(layer, variable.name)
            # what is frozen was trained before
            if initializer is None or not layer.trainable or id(variable) in done:
                continue
            if id(variable) in kept and not _is_of(initializer, variable):
                continue
            done.add(id(variable))
            source = random.HostNumbers(random.host(seed, "initial", name, place))
            shape = tuple(variable.shape)
            fans = first_values.fans(layer, initializer, shape)
            value = first_values.draw(initializer, shape, fans, source)
            # cast here: JAX would compile a program for it
            variable.assign(value.astype(keras.backend.standardize_dtype(variable.dtype)))


def _is_of(initializer, variable) -> bool:
    """Whether the initializer gave the value: one object gives the same one again and again."""
    again = keras.Variable(initializer, tuple(variable.shape), variable.dtype)
    return np.array_equal(*map(keras.ops.convert_to_numpy, (again.value, variable.value)))


def _weights(layer):
    """Every ``(layer, variable)`` in a fixed order, each layer's own variables."""
    for child in layer._flatten_layers(recursive=True, include_self=True):
        for variable in child._trainable_variables + child._non_trainable_variables:
            yield child, variable


def _initializer(layer, name):
    if isinstance(layer, keras.layers.SpectralNormalization) and name == "vector_u":
        return keras.initializers.TruncatedNormal(stddev=0.02)  # which it does not keep
    names = [name, name.removesuffix("_kernel")]
    if name == "kernel":
        names.append("depthwise")  # as DepthwiseConv2D has it
    for attribute in (f"{name}_initializer" for name in names):
        found = getattr(layer, attribute, None)
        if isinstance(found, keras.initializers.Initializer) and first_values.is_random(found):
            return found
    return None
