"""What a run's manifest says, in JSON, and the model that it describes."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import platform
import re
from collections.abc import Mapping
from typing import Any

import keras

from zoo import registry
from zoo.engine import backend
from zoo.engine.players import serialized
from zoo.errors import ZooError
from zoo.plugin import DataSpec, Model


def describe(experiment: Any) -> dict[str, Any]:
    """The manifest's account of a ``zoo.training.Experiment``."""
    recipe, model, data = experiment.recipe, experiment.model, experiment.data
    return {
        "backend": keras.backend.backend(),
        "device": backend.device(),
        "seed": recipe.seed,
        "precision": recipe.precision,
        "epochs": recipe.epochs,
        "epoch": 0,
        "ema": recipe.ema,
        "model": settings_of(recipe.model, "models"),
        "abilities": model.able(sampler=recipe.sampler is not None),
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
            "name": data.name,
            "shape": list(data.spec.shape),
            "classes": data.spec.classes,
            "fingerprint": data.fingerprint,
            "examples": {
                "train": len(data.train),
                "validation": len(data.validation),
                "test": len(data.test),
            },
        },
        "versions": versions(),
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


def settings_of(thing: Any, kind: str) -> dict[str, Any]:
    """A plugin's registered name and settings; the name is None for an unregistered one."""
    target = f"{type(thing).__module__}:{type(thing).__qualname__}"
    name = next((r.typed for r in registry.records(kind) if _same(r.target, thing)), None)
    names = [f.name for f in dataclasses.fields(thing)] if dataclasses.is_dataclass(thing) else []
    fields = {name: getattr(thing, name) for name in names}
    return {"name": name, "class": target, "settings": plain(fields)}


def _same(target: str, thing: Any) -> bool:
    """Whether an entry point names this class, perhaps by a module that re-exports it."""
    module, _, attribute = target.partition(":")
    cls = type(thing)
    inside = cls.__module__ == module or cls.__module__.startswith(f"{module}.")
    return inside and cls.__qualname__ == attribute


class NeedsRecipe(ZooError):
    """A part of a model is its recipe's own, which is code and in no manifest."""


def rebuild(manifest: Mapping[str, Any], given: Model | None = None) -> tuple[Model, DataSpec]:
    """The model and data spec that a manifest describes.

    Args:
        manifest: as ``describe`` wrote it.
        given: the recipe's model, whose settings become those of the manifest; without
            it, the model is one of the registered classes.

    Raises:
        NeedsRecipe: the model is not registered here, its settings are not JSON's, or its
            networks are the recipe's own.
        ZooError: the manifest is damaged, or the model given is of another class.
    """
    try:
        model, data = manifest["model"], manifest["data"]
        name, cls, settings = model["name"], model["class"], dict(model["settings"])
        spec = DataSpec(tuple(data["shape"]), int(data["classes"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ZooError(f"the run's manifest is damaged: {error!r}") from error
    own = given_as_code(settings)
    if given is not None:
        if type(given).__qualname__ != cls.rpartition(":")[2]:
            raise ZooError(f"the recipe's model is a {type(given).__name__}, and the run's a {cls}")
        known = {key: value for key, value in settings.items() if key not in own}
        return (given.replace(**known) if known else given), spec
    if manifest.get("networks") or own or name is None:
        what = ", ".join([*manifest.get("networks", ()), *own]) or cls
        raise NeedsRecipe(
            f"{what} was given by its recipe, which is code: load it with that recipe, "
            "as --recipe FILE or zoo.load(run, recipe=FILE)"
        )
    return registry.create("models", name, **settings), spec


def given_as_code(settings: Mapping[str, Any]) -> list[str]:
    """Names of the settings that JSON has no form for."""
    return [key for key, value in settings.items() if isinstance(value, dict) and "object" in value]


def plain(value: Any) -> Any:
    """A value as JSON has it; what JSON has no form for becomes ``{"object": text}``."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"class": type(value).__name__, **fields}
    return {"object": repr(value)}


def versions() -> dict[str, str]:
    """Versions of Python and of what numbers depend on, where installed."""
    found = {"python": platform.python_version()}
    for name in ("keras-zoo", "keras", "jax", "tensorflow", "torch", "numpy"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
