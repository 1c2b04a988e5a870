"""zoo: generative models in Keras 3 that train unchanged on JAX, TensorFlow and PyTorch."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from zoo.runtime import backends as _backends
from zoo.runtime import quiet as _quiet

__version__ = "0.1.0"

if TYPE_CHECKING:  # what type checkers and editors see of the lazy names below
    from zoo import callbacks, datasets, features, metrics, nn, random, testing
    from zoo.config.recipe import Recipe
    from zoo.engine.gradient import gradient
    from zoo.engine.model import build
    from zoo.errors import RunFailed, ZooError
    from zoo.plugin.dataset import Dataset
    from zoo.plugin.features import FeatureSpace
    from zoo.plugin.metric import Metric
    from zoo.plugin.model import Batch, DataSpec, Model, Move
    from zoo.plugin.registry import dataset, feature_space, metric, model
    from zoo.plugin.views import View
    from zoo.reports.pictures import show
    from zoo.runs.export import export
    from zoo.runs.load import load
    from zoo.training.resume import resume
    from zoo.training.train import train

# Imported when first used: `import zoo` and `zoo --help` stay fast, and a backend can still
# be chosen.
_ORIGIN = {
    "Batch": "zoo.plugin.model",
    "DataSpec": "zoo.plugin.model",
    "Dataset": "zoo.plugin.dataset",
    "FeatureSpace": "zoo.plugin.features",
    "Metric": "zoo.plugin.metric",
    "Model": "zoo.plugin.model",
    "Move": "zoo.plugin.model",
    "Recipe": "zoo.config.recipe",
    "RunFailed": "zoo.errors",
    "View": "zoo.plugin.views",
    "ZooError": "zoo.errors",
    "build": "zoo.engine.model",
    "dataset": "zoo.plugin.registry",
    "export": "zoo.runs.export",
    "feature_space": "zoo.plugin.registry",
    "gradient": "zoo.engine.gradient",
    "load": "zoo.runs.load",
    "metric": "zoo.plugin.registry",
    "model": "zoo.plugin.registry",
    "resume": "zoo.training.resume",
    "show": "zoo.reports.pictures",
    "train": "zoo.training.train",
}
_SUBMODULES = ("callbacks", "datasets", "features", "metrics", "nn", "random", "testing")

__all__ = [
    "Batch",
    "DataSpec",
    "Dataset",
    "FeatureSpace",
    "Metric",
    "Model",
    "Move",
    "Recipe",
    "RunFailed",
    "View",
    "ZooError",
    "build",
    "callbacks",
    "dataset",
    "datasets",
    "export",
    "feature_space",
    "features",
    "gradient",
    "load",
    "metric",
    "metrics",
    "model",
    "nn",
    "random",
    "resume",
    "show",
    "testing",
    "train",
]


def __getattr__(name: str):
    if name not in __all__:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    module = f"zoo.{name}" if name in _SUBMODULES else _ORIGIN[name]
    with _quiet.first_import():
        found = importlib.import_module(module)
    return found if name in _SUBMODULES else getattr(found, name)


def __dir__():
    return sorted([*__all__, "__version__"])


_backends.settle()  # before anyone imports Keras
