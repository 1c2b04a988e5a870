"""What is checked of a run's folder before it is used: it may be a stranger's.

Nothing of it is run, and it takes no more memory than it has bytes on disk, give or take.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from typing import Any

import keras

from zoo.errors import ZooError
from zoo.runtime.files import excerpt

MOST_NUMBERS = 1 << 22  # in one example
MOST_CLASSES = 1 << 20
_SLACK = 1 << 18  # bytes
_OVERHEAD = 512  # bytes of a file that a variable takes besides its numbers, at least
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


def described(manifest: Mapping[str, Any]) -> None:
    """Refuse a manifest that describes nothing that could have been trained.

    Raises:
        ZooError: with the field that is wrong.
    """
    data = manifest["data"]
    shape, classes = data.get("shape"), data.get("classes")
    whole = isinstance(shape, list) and 0 < len(shape) <= 8
    if not (whole and all(type(n) is int and n > 0 for n in shape)):
        raise ZooError(f"its run.json is damaged: data.shape is {excerpt(shape)}")
    if math.prod(shape) > MOST_NUMBERS or type(classes) is not int or classes > MOST_CLASSES:
        raise ZooError(
            f"examples of shape {excerpt(shape)} in {excerpt(classes)} classes are too large"
        )
    if manifest["precision"] not in PRECISIONS:
        raise ZooError(f"its run.json is damaged: precision is {excerpt(manifest['precision'])}")
    if type(manifest["seed"]) is not int:
        raise ZooError(f"its run.json is damaged: seed is {excerpt(manifest['seed'])}")
    for player, config in manifest["optimizers"].items():
        _only_kerass(config, f"the optimizer of {excerpt(player)}")


def _only_kerass(config: Any, what: str) -> None:
    """Refuse a config that would have Keras import or run something else than its own."""
    if isinstance(config, Mapping):
        if "class_name" in config or "module" in config:
            name, module = config.get("class_name"), config.get("module")
            if not (_is_registered(config.get("registered_name")) or _is_kerass(module, name)):
                raise ZooError(f"{what} is no optimizer or schedule of Keras: {excerpt(name)}")
        for value in config.values():
            _only_kerass(value, what)
    elif isinstance(config, list):
        for value in config:
            _only_kerass(value, what)


def _is_registered(name: Any) -> bool:
    return name is not None and keras.saving.get_registered_object(name) is not None


def _is_kerass(module: Any, name: Any) -> bool:
    """Whether a name is of an optimizer or a schedule in the module of Keras that has those."""
    kinds = {
        "keras.optimizers": (keras.optimizers, keras.optimizers.Optimizer),
        "keras.optimizers.schedules": (
            keras.optimizers.schedules,
            keras.optimizers.schedules.LearningRateSchedule,
        ),
    }
    if not (isinstance(module, str) and module in kinds and isinstance(name, str)):
        return False
    place, kind = kinds[module]
    found = getattr(place, name, None)
    return isinstance(found, type) and issubclass(found, kind)


@contextlib.contextmanager
def budget(size: int) -> Iterator[None]:
    """Refuse networks that have more weights than a file of a size can hold, while they are built.

    Args:
        size: of the file, in bytes.

    Raises:
        ZooError: within, at the first weight that is too much.
    """
    original = keras.layers.Layer.add_weight
    left = size + _SLACK

    def add_weight(self, shape=None, *args, **kwargs):
        nonlocal left
        sizes = (shape,) if isinstance(shape, int) else tuple(shape or ())
        left -= _OVERHEAD + math.prod(sizes) * 2  # half precision, at least
        if left < 0:
            raise ZooError("it describes more weights than its files hold")
        return original(self, shape, *args, **kwargs)

    keras.layers.Layer.add_weight = add_weight
    try:
        yield
    finally:
        keras.layers.Layer.add_weight = original
