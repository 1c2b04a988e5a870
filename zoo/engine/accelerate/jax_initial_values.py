"""First values of a model's variables, made by NumPy: JAX compiles a program for each shape."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from zoo import random
from zoo.runtime import first_values

_CONSTANT = {keras.initializers.Zeros: np.zeros, keras.initializers.Ones: np.ones}


def install() -> None:
    """Look whether Keras's variables are made as is taken here.

    Raises:
        AttributeError: they are not.
    """
    getattr(keras.Variable, "_initialize_with_initializer")  # noqa: B009


@contextlib.contextmanager
def on_host() -> Iterator[None]:
    """Have variables that are made within take their first values from NumPy.

    Constants are the same. Random ones are of the same distribution; where a person seeded the
    initializer they stay JAX's, and where an experiment has a seed ``redraw`` draws them anew.
    """
    plain: Any = keras.Variable._initialize_with_initializer

    def initialize(variable, initializer):
        plain(variable, _by_numpy(initializer) or initializer)

    keras.Variable._initialize_with_initializer = initialize
    try:
        yield
    finally:
        keras.Variable._initialize_with_initializer = plain


def _by_numpy(initializer) -> Callable | None:
    """What makes the values in place of an initializer; None where that is for JAX to do."""
    if keras.distribution.distribution() is not None:  # which says on what device they are made
        return None
    if type(initializer) in _CONSTANT:
        return lambda shape, dtype: _CONSTANT[type(initializer)](shape, dtype)
    ours = type(initializer).__module__.partition(".")[0] == "keras"
    seed = getattr(initializer, "seed", None)
    if not ours or not first_values.is_random(initializer) or not isinstance(seed, int):
        return None
    if initializer.get_config()["seed"] is not None:
        return None

    def drawn(shape, dtype):
        source = random.HostNumbers(random.host(seed, "before the seed"))
        fans = first_values.fans(None, initializer, tuple(shape))
        return first_values.draw(initializer, tuple(shape), fans, source).astype(dtype)

    return drawn
