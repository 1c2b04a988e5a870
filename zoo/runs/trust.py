"""What is checked before a run's model is built: the run may be a stranger's.

Nothing of it is run, and it takes no more memory than it has bytes on disk, give or take.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from zoo.errors import ZooError
from zoo.plugin.budget import Budget, of_file
from zoo.runtime.console import excerpt

_SLACK_NUMBERS = 1 << 16  # in all
_SLACK_WEIGHTS = 256  # variables


def check_optimizers(configs: Mapping[str, Any]) -> None:
    """Refuse optimizers that are not Keras's own, and not registered by the user's code.

    Args:
        configs: ``{player: Keras's config}``.

    Raises:
        ZooError: with the player whose optimizer it is.
    """
    for player, config in configs.items():
        _only_of_keras(config, f"the optimizer of {excerpt(player)}")


def _only_of_keras(config: Any, what: str) -> None:
    """Refuse a config that would have Keras import or run something else than its own."""
    if isinstance(config, Mapping):
        if "class_name" in config or "module" in config:
            name, module = config.get("class_name"), config.get("module")
            if not (_is_registered(config.get("registered_name")) or is_keras_class(module, name)):
                raise ZooError(f"{what} is no optimizer or schedule of Keras: {excerpt(name)}")
        for value in config.values():
            _only_of_keras(value, what)
    elif isinstance(config, list):
        for value in config:
            _only_of_keras(value, what)


def _is_registered(name: Any) -> bool:
    return name is not None and keras.saving.get_registered_object(name) is not None


def is_keras_class(module: Any, name: Any) -> bool:
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
def budget(arrays: Mapping[str, np.ndarray], replaced: bool = False) -> Iterator[None]:
    """Refuse networks that have more weights than a file holds, while they are built.

    Args:
        arrays: of the file, which do not overlap in it.
        replaced: whether a recipe's networks stand in place of the model's, or weights of some are
            left out. The model's are built too: so many more weights are allowed, up to 64 MB of
            them. Those of a recipe are built twice.

    Raises:
        ZooError: within, at the first weight that is too much.
    """
    own = [array.size for name, array in arrays.items() if name.startswith("networks/")]
    numbers, variables = sum(own) + _SLACK_NUMBERS, len(own) + _SLACK_WEIGHTS
    if replaced:
        numbers, variables = 2 * numbers + (1 << 24), 2 * variables + 1000

    error = ZooError("it describes more weights than its files hold")
    with of_file(Budget(numbers, variables, lambda: error)):
        yield
