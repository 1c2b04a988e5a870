"""Configs of Keras objects, read without importing TensorFlow.

Before it serializes what is no plain value, such as a learning-rate schedule, Keras looks
whether TensorFlow is available. It does so by importing it, on every backend.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import keras

from zoo.errors import ZooError
from zoo.runtime.keras_compat import tensorflow


@contextlib.contextmanager
def no_tensorflow() -> Iterator[None]:
    """Have Keras take TensorFlow for not installed, unless it is imported already."""
    if tensorflow is None or "_available" not in vars(tensorflow):
        yield
        return
    before = tensorflow._available
    if "tensorflow" not in sys.modules:
        tensorflow._available = False
    try:
        yield
    finally:
        tensorflow._available = before


def config_of(thing: Any) -> dict[str, Any]:
    """What ``thing.get_config()`` gives, for an optimizer or another Keras object."""
    with no_tensorflow():
        return thing.get_config()


def serialized(optimizer: Any) -> dict[str, Any]:
    """As Keras serializes it, but naming Keras's own classes as every backend knows them.

    On PyTorch they are subclasses that exist only there.
    """

    def public(config):
        if isinstance(config, dict):
            config = {key: public(value) for key, value in config.items()}
            if str(config.get("module")).startswith("keras.src."):
                config |= {"module": "keras.optimizers", "registered_name": None}
        return config

    cls = type(optimizer)
    return public(
        {
            "module": cls.__module__,
            "class_name": cls.__name__,
            "config": config_of(optimizer),
            "registered_name": keras.saving.get_registered_name(cls),
        }
    )


def copy_of(optimizer: Any) -> Any:
    """A new optimizer with the settings of a given one, and nothing it has learnt."""
    return type(optimizer).from_config(config_of(optimizer))


@contextlib.contextmanager
def pinned() -> Iterator[None]:
    """Have Keras's global settings be those of a run, and afterwards what they were.

    They are its own defaults, whatever ``keras.json`` or the process says: ``floatx`` and the
    dtype policy float32, ``epsilon`` 1e-7, channels last. What a recipe says, such as its
    ``precision``, comes on top. It is a decorator too: ``@pinned()``.
    """
    config = keras.config
    settings = (
        (config.floatx(), config.set_floatx, "float32"),
        (config.epsilon(), config.set_epsilon, 1e-7),
        (config.image_data_format(), config.set_image_data_format, "channels_last"),
        (config.dtype_policy(), config.set_dtype_policy, "float32"),
    )
    if all(getattr(before, "name", before) == value for before, _, value in settings):
        yield
        return
    try:
        for _, setting, value in settings:
            setting(value)
        yield
    finally:
        for before, setting, _ in settings:
            setting(before)


@contextlib.contextmanager
def precision(policy: str) -> Iterator[None]:
    """Let layers that are made inside compute in a precision, ``"mixed_bfloat16"`` say."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def check_settings() -> None:
    """Refuse settings of Keras that no model of the zoo can be built under.

    They are its other layout of pictures, and a ``floatx`` under which integers become floats
    (bfloat16 on JAX, in Keras 3.15), since noise is drawn from integers.
    """
    config = keras.config
    if config.image_data_format() != "channels_last":
        raise ZooError(
            "pictures have their channels last in the zoo, but Keras is set to "
            f"{config.image_data_format()!r}: leave out image_data_format (in keras.json "
            'or keras.config), or set it to "channels_last"'
        )
    if "int" not in keras.backend.standardize_dtype(keras.ops.convert_to_tensor(1).dtype):
        raise ZooError(
            f"under floatx={config.floatx()!r} Keras makes floats of integers on "
            f'{keras.backend.backend()}: set floatx to "float32". For layers that compute in '
            'bfloat16 write keras.config.set_dtype_policy("mixed_bfloat16")'
        )
