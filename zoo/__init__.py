"""zoo: generative models in Keras 3 that train unchanged on JAX, TensorFlow and PyTorch."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:  # what type checkers and editors see of the lazy names below
    from zoo import (
        augment,
        callbacks,
        datasets,
        layers,
        losses,
        metrics,
        networks,
        packing,
        penalties,
        random,
        samplers,
        schedules,
        testing,
    )
    from zoo.durability.resuming import resume
    from zoo.engine import gradient
    from zoo.engine.build import build
    from zoo.errors import RunFailed, ZooError
    from zoo.loading import load
    from zoo.plugin import Batch, DataSpec, Model, Move
    from zoo.recipe import Recipe
    from zoo.registry import dataset, metric, model
    from zoo.training import train

# Imported when first used: `import zoo` and `zoo --help` stay fast, and KERAS_BACKEND
# can still be chosen.
_ORIGIN = {
    "Batch": "zoo.plugin",
    "DataSpec": "zoo.plugin",
    "Model": "zoo.plugin",
    "Move": "zoo.plugin",
    "Recipe": "zoo.recipe",
    "RunFailed": "zoo.errors",
    "ZooError": "zoo.errors",
    "build": "zoo.engine.build",
    "dataset": "zoo.registry",
    "gradient": "zoo.engine",
    "load": "zoo.loading",
    "metric": "zoo.registry",
    "model": "zoo.registry",
    "resume": "zoo.durability.resuming",
    "train": "zoo.training",
}
_SUBMODULES = (
    "augment",
    "callbacks",
    "datasets",
    "layers",
    "losses",
    "metrics",
    "networks",
    "packing",
    "penalties",
    "random",
    "samplers",
    "schedules",
    "testing",
)

__all__ = [
    "Batch",
    "DataSpec",
    "Model",
    "Move",
    "Recipe",
    "RunFailed",
    "ZooError",
    "augment",
    "build",
    "callbacks",
    "dataset",
    "datasets",
    "gradient",
    "layers",
    "load",
    "losses",
    "metric",
    "metrics",
    "model",
    "networks",
    "packing",
    "penalties",
    "random",
    "resume",
    "samplers",
    "schedules",
    "testing",
    "train",
]


def __getattr__(name: str):
    if name not in __all__:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    importlib.import_module("zoo.backends").settle()
    if name in _SUBMODULES:
        return importlib.import_module(f"zoo.{name}")
    return getattr(importlib.import_module(_ORIGIN[name]), name)


def __dir__():
    return sorted([*__all__, "__version__"])
