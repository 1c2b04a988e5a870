"""Whole models in ``.keras`` files: settings of registered models, never code."""

from __future__ import annotations

from typing import Any

import keras

from zoo import manifest
from zoo.configs import no_tensorflow
from zoo.errors import ZooError
from zoo.precision import precision

UNSAVED = "; save its weights instead (save_weights), and build it again to load them"


def config_of(model) -> dict[str, Any]:
    """What ``rebuilt`` needs, as JSON has it.

    Raises:
        ZooError: the model, one of its settings or one of its networks is code that
            no name in the registry stands for.
    """
    described = manifest.settings_of(model.plugin, "models")
    if described["name"] is None:
        raise ZooError(
            f"{model.where} is not registered (entry-point group zoo.models), so a file "
            f"cannot say how to build it{UNSAVED}"
        )
    code = sorted({*model.given_networks, *manifest.given_as_code(described["settings"])})
    if code:
        raise ZooError(
            f"{model.where}: {', '.join(code)} was given as code, which a file cannot hold{UNSAVED}"
        )
    with no_tensorflow():
        weights = keras.saving.serialize_keras_object(model.given_weights)
    return {
        "model": described,
        "data": {"shape": list(model.data.shape), "classes": model.data.classes},
        "weights": weights,
        "seed": model.seed,
        "dtype": model.dtype_policy.name,
    }


def rebuilt(config: dict[str, Any]):
    """The model that ``config_of`` described."""
    from zoo.engine.build import build

    plugin, data = manifest.rebuild(config)
    weights = keras.saving.deserialize_keras_object(config["weights"])
    with precision(config["dtype"]):
        return build(plugin, data, weights=weights, seed=config["seed"])
