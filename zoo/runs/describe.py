"""What an experiment is, as the JSON that its run's manifest holds."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import re
from collections.abc import Mapping
from typing import Any

import keras

from zoo.engine import accelerate, distributed
from zoo.engine.backends import backend
from zoo.plugin import views
from zoo.plugin.serialization import described, plain, settings_of
from zoo.runtime import machine
from zoo.runtime.console import printable
from zoo.runtime.keras import serialized


def describe(experiment: Any) -> dict[str, Any]:
    """The fields of a ``Manifest`` that describe a ``zoo.training.Experiment``."""
    recipe, model, data = experiment.recipe, experiment.model, experiment.data
    return {
        "backend": keras.backend.backend(),
        "device": backend.device(),
        "devices": distributed.devices,
        "batch_norm": distributed.batch_norm or "synchronized",
        "accelerations": accelerate.active(),
        "seed": recipe.seed,
        "precision": recipe.precision,
        "epochs": recipe.epochs,
        "epoch": 0,
        "ema": recipe.ema,
        "model": settings_of(recipe.model, "models"),
        "abilities": model.able(sampler=recipe.sampler is not None),
        "views": {name: printable(v.about) for name, v in views.of(recipe.model).items()},
        "dataset": settings_of(recipe.dataset, "datasets"),
        "weights": plain(recipe.weights),
        "networks": sorted(recipe.networks),
        "augment": [
            {"class": type(layer).__name__, **plain(layer.get_config())} for layer in recipe.augment
        ],
        "sampler": plain(recipe.sampler),
        "optimizers": {
            player: serialized(optimizer) for player, optimizer in model.optimizer.by_player.items()
        },
        "callbacks": [plain(callback) for callback in recipe.callbacks],
        "metrics": [settings_of(metric, "metrics") for metric in recipe.metrics],
        "data": {
            "name": printable(data.name),
            **described(data.spec),
            "class_names": [printable(name) for name in getattr(data, "class_names", None) or ()],
            "fingerprint": data.fingerprint,
            "examples": {
                "train": len(data.train),
                "validation": len(data.validation),
                "test": len(data.test),
            },
        },
        "versions": versions(),
        "machine": machine.machine(),
    }


def comparable(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest as it is read back from JSON, without what drifts from process to process.

    These are the automatic names of layers, and addresses in the text of what JSON has no form for.
    """
    text = json.dumps(manifest, default=str)
    found = json.loads(re.sub(r" at 0x[0-9a-f]+", "", text))
    unnamed = [{k: v for k, v in layer.items() if k != "name"} for layer in found["augment"]]
    return {**found, "augment": unnamed}


def rates(model: Any) -> dict[str, Any]:
    """Each player's learning rate before training: a number, or a schedule's config."""
    optimizers = model.optimizer.by_player.items()
    return {p: plain(serialized(_inner(o))["config"].get("learning_rate")) for p, o in optimizers}


def _inner(optimizer):
    return getattr(optimizer, "inner_optimizer", optimizer)


def versions() -> dict[str, str]:
    """Versions of Python and of what numbers depend on, where installed."""
    found = {"python": platform.python_version()}
    for name in ("keras-zoo", "keras", "jax", "tensorflow", "torch", "numpy"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
