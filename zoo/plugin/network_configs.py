"""Networks as Keras's configs, and back: what a config may name, and how large it may be.

A config may be a stranger's. Keras imports the modules that one names, and some of its layers
run code, so a config is read here first: it may only name layers of Keras that compute from
their settings alone, and what the code of this process has registered.
"""

from __future__ import annotations

import contextlib
import copy
import json
import math
import random
import sys
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras

from zoo.errors import ZooError, shortened
from zoo.plugin.limits import MOST_NUMBERS
from zoo.plugin.serialization import NeedsRecipe
from zoo.runtime.console import excerpt
from zoo.runtime.jsons import MOST_DEPTH
from zoo.runtime.keras import no_tensorflow
from zoo.runtime.keras_compat import outputs

MOST_OBJECTS = 10_000  # in all networks; a layer is some 5
MOST_INTEGER = 1 << 16  # as units or as a factor to enlarge by; seeds apart
MOST = {"kernel_size": 1024, "pool_size": 1024, "strides": 1024, "dilation_rate": 32}
"""Less for what pictures are padded by."""


_SOURCES = tuple(
    f"keras.src.{name}."
    for name in (
        "layers.activations",
        "layers.attention",
        "layers.convolutional",
        "layers.core.dense",
        "layers.core.einsum_dense",
        "layers.core.embedding",
        "layers.core.identity",
        "layers.core.input_layer",
        "layers.core.masking",
        "layers.core.wrapper",
        "layers.merging",
        "layers.normalization",
        "layers.pooling",
        "layers.preprocessing.normalization",
        "layers.preprocessing.rescaling",
        "layers.regularization",
        "layers.reshaping",
        "layers.rnn",
        "models.functional",
        "models.model",
        "models.sequential",
        "dtype_policies.dtype_policy",
        "initializers",
        "regularizers",
        "constraints",
        "ops.image",
        "ops.linalg",
        "ops.math",
        "ops.nn",
        "ops.numpy",
    )
)
"""Where Keras's own classes are that compute from their settings: no Lambda, no saved programs."""

_CORE = ("Cast", "SaturateCast", "Slice", "StopGradient")  # of keras.src.ops.core, the rest calls
_PUBLIC = ("keras", "keras.layers", "keras.initializers", "keras.regularizers", "keras.constraints")
_DTYPES = ("bool", "uint8", "int32", "int64", "float16", "bfloat16", "float32", "float64")
_ANY_INTEGER = ("seed", "shared_object_id")
_HINT = (
    ": load the run with its recipe, as --recipe FILE or zoo.load(run, recipe=FILE), or import "
    "the package first"
)
_NOT_A_NETWORK = "zoo>GenerativeModel"  # it would import a plugin by name


def kept(networks: Mapping[str, Any], given: Iterator[str] | tuple[str, ...]) -> dict[str, Any]:
    """Configs of some networks, from which they can be rebuilt.

    Args:
        networks: ``{name: network}``, all of a model's, built.
        given: names of those whose configs are wanted.

    Returns:
        ``{name: config}``, as JSON has it.

    Raises:
        ZooError: one of them cannot be rebuilt from a config; the message says which, and why.
    """
    configs = {name: _config_of(networks[name], f"network {name!r}") for name in given}
    try:
        check(configs)
    except NeedsRecipe as error:
        raise ZooError(str(error).removesuffix(_HINT)) from error
    for name, config in configs.items():
        own = {id(v) for v in networks[name].variables}
        for other, network in networks.items():
            if other != name and own & {id(v) for v in network.variables}:
                raise ZooError(f"network {name!r} shares weights with {other!r}")
        with _same_draws():
            again = _rebuilt(config, f"network {name!r}")
        if _variables(again) != _variables(networks[name]):
            raise ZooError(f"network {name!r} comes back from its config with other weights")
    return configs


def factories(configs: Mapping[str, Any]) -> dict[str, Callable]:
    """What ``zoo.build`` takes as ``networks``, from configs as ``kept`` gives them.

    Raises:
        NeedsRecipe: a config names a class that is not here.
        ZooError: a config is none, is too large, or is of what may run code. The factories raise
            it where Keras cannot make a network of one.
    """
    check(configs)

    def factory(name):
        return lambda data, model: _rebuilt(configs[name], f"network {name!r}")

    return {name: factory(name) for name in configs}


def check(configs: Any) -> None:
    """Refuse configs that would import or run code, or are too large; nothing is made of them."""
    if not isinstance(configs, dict) or not all(isinstance(c, dict) for c in configs.values()):
        raise ZooError(f"configs of networks are {{name: config}}, not {excerpt(configs)}")
    left = [MOST_OBJECTS]
    for name, config in configs.items():
        what = f"network {excerpt(name)}"
        if "class_name" not in config:
            raise ZooError(f"{what} has no class in its config")
        _check(config, what, left, MOST_DEPTH)


def _check(value: Any, what: str, left: list[int], depth: int, key: str = "") -> None:
    if depth == 0:
        raise ZooError(f"{what}: its config is more than {MOST_DEPTH} levels deep")
    if isinstance(value, dict):
        if "class_name" in value:
            left[0] -= 1
            if left[0] < 0:
                raise ZooError(f"{what}: its config has more than {MOST_OBJECTS:,} objects")
            if _is_checked(value, what):
                return
        for inner, item in value.items():
            _check(item, what, left, depth - 1, inner)
    elif isinstance(value, list):
        for item in value:
            _check(item, what, left, depth - 1, key)
    elif type(value) is int and key not in _ANY_INTEGER:
        most = MOST.get(key, MOST_INTEGER)
        if abs(value) > most:
            raise ZooError(f"{what}: {excerpt(key)} is {value}; at most {most:,} is accepted")


def _is_checked(value: dict[str, Any], what: str) -> bool:
    """Refuse an object that may not be; whether its parts need no look."""
    name, config = value["class_name"], value.get("config")
    if name in ("__numpy__", "__tensor__"):
        if not isinstance(config, dict) or config.get("dtype") not in _DTYPES:
            raise ZooError(f"{what}: an array of {excerpt(config)} is refused")
        return True
    if name in ("__keras_tensor__", "__slice__", "__ellipsis__"):
        return False
    registered, module = value.get("registered_name", name), value.get("module")
    if not isinstance(name, str) or not isinstance(registered, str | None):
        raise ZooError(f"{what}: {excerpt(name)} names no class")
    found = _function(config) if name == "function" else _class(name, module, registered)
    if value.get("compile_config"):
        raise ZooError(f"{what} says how to compile it, which is its player's to say")
    if found is None:
        shown = excerpt(config if name == "function" else name)
        raise NeedsRecipe(
            f"{what} has {shown} of {excerpt(module)}, which is code, or of a package that is not "
            f"imported here{_HINT}"
        )
    return False


def _function(name: Any) -> Any:
    """A registered function, or an activation of Keras; None for any other."""
    if not isinstance(name, str):
        return None
    found = keras.saving.get_registered_object(name)
    if found is None and not name.startswith("_"):
        found = getattr(keras.activations, name, None)
        name_of = getattr(found, "__module__", "")
        found = found if name_of.startswith("keras.src.activations.") else None
    return found if isinstance(found, types.FunctionType) else None


def _class(name: str, module: Any, registered: str | None) -> type | None:
    """The class that Keras would take, if it may be; nothing is imported."""
    found = None if registered is None else keras.saving.get_registered_object(registered)
    if found is not None:
        kinds = (
            keras.layers.Layer,
            keras.initializers.Initializer,
            keras.regularizers.Regularizer,
            keras.constraints.Constraint,
        )
        fits = isinstance(found, type) and issubclass(found, kinds)
        return found if fits and registered != _NOT_A_NETWORK else None
    if not isinstance(module, str):
        return None
    if module in _PUBLIC:
        place: Any = keras if module == "keras" else getattr(keras, module.partition(".")[2])
    elif module.startswith("keras.src."):
        place = sys.modules.get(module)
    else:
        return None
    found = vars(place).get(name) if place is not None else None
    if not isinstance(found, type):
        return None
    source = f"{found.__module__}."
    core = source == "keras.src.ops.core." and name in _CORE
    return found if core or source.startswith(_SOURCES) else None


def _config_of(network: Any, what: str) -> dict[str, Any]:
    try:
        with no_tensorflow(), warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            config = keras.saving.serialize_keras_object(network)
        config.pop("compile_config", None)  # its players train it
        config = json.loads(json.dumps(config, allow_nan=False))
    except Exception as error:  # get_config is code of anybody's
        reason = shortened(f"{type(error).__name__}: {error}", 200)
        raise ZooError(f"{what} has no config that a file can hold ({reason})") from error
    if any("lambda" in str(warning.message) for warning in told):
        raise ZooError(
            f"{what} has a lambda in it, which is code: a function that is registered "
            "(keras.saving.register_keras_serializable) can stand in its place"
        )
    return config


def _rebuilt(config: dict[str, Any], what: str) -> Any:
    try:
        made = keras.saving.deserialize_keras_object(copy.deepcopy(config), safe_mode=True)
    except ZooError:
        raise
    except Exception as error:  # whatever Keras makes of a config that is damaged
        reason = shortened(f"{type(error).__name__}: {error}", 200)
        raise ZooError(f"{what} cannot be made of its config ({reason})") from error
    if not isinstance(made, keras.layers.Layer):
        raise ZooError(f"{what}: its config is of {type(made).__name__}, which is no layer")
    for operation, sizes in outputs(made):
        _check_size(operation, sizes, what)
    return made


def _check_size(operation, sizes, what):
    numbers = math.prod(sizes)
    if type(operation).__module__.startswith("keras.src.layers.attention."):  # each for each
        numbers *= math.prod(sizes[:-1]) * getattr(operation, "num_heads", 1)
    if numbers > MOST_NUMBERS:
        raise ZooError(
            f"{what}: {operation.name} takes {numbers:,} numbers for one example; at most "
            f"{MOST_NUMBERS:,} are accepted"
        )


def _variables(network):
    return [(tuple(v.shape), v.path.rpartition("/")[2]) for v in network.variables]


@contextlib.contextmanager
def _same_draws():
    """Put back Python's random numbers, from which Keras takes seeds of initializers."""
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)
