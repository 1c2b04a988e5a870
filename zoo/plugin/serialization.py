"""Plugins and their settings as JSON, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from zoo.errors import ZooError
from zoo.plugin import registry
from zoo.plugin.dataset import Dataset
from zoo.plugin.features import FeatureSpace
from zoo.plugin.metric import Metric
from zoo.plugin.model import DataSpec, Model
from zoo.plugin.settings import given_as_code


def settings_of(thing: Any, kind: str) -> dict[str, Any]:
    """A plugin's registered name and settings; the name is None for an unregistered one."""
    target = f"{type(thing).__module__}:{type(thing).__qualname__}"
    fields = _fields(thing) if dataclasses.is_dataclass(thing) else {}
    record = registered(thing, kind)
    return {"name": record and record.typed, "class": target, "settings": plain(fields)}


def create(kind: str, name: str, settings: Mapping[str, Any]) -> Any:
    """The plugin of a registered name, from settings as ``settings_of`` gives them.

    Plugins among the settings, such as the datasets of ``Sources``, are made too.

    Raises:
        ZooError: as ``registry.create``.
    """
    return registry.create(kind, name, **made(settings))


def kind_of(thing: Any) -> str | None:
    """The group of ``registry.GROUPS`` that a plugin is of, else None."""
    bases = {"models": Model, "datasets": Dataset, "metrics": Metric, "features": FeatureSpace}
    return next((kind for kind, base in bases.items() if isinstance(thing, base)), None)


def registered(thing: Any, kind: str) -> registry.Record | None:
    """What the metadata says of a plugin's class; None where it is not registered."""
    return next((r for r in registry.records(kind) if _same(r.target, thing)), None)


def made(value: Any) -> Any:
    """What ``plain`` wrote, with the plugins in it."""
    if isinstance(value, list):
        return [made(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    fields = {key: made(item) for key, item in value.items()}
    kind, _, name = str(fields.get("class")).partition(":")
    if kind not in registry.GROUPS:
        return fields
    del fields["class"]
    return registry.create(kind, name, **fields)


def _fields(thing: Any) -> dict[str, Any]:
    """The settings that one can give."""
    return {f.name: getattr(thing, f.name) for f in dataclasses.fields(thing) if f.init}


def _same(target: str, thing: Any) -> bool:
    """Whether an entry point names this class, perhaps by a module that re-exports it."""
    module, _, attribute = target.partition(":")
    cls = type(thing)
    inside = cls.__module__ == module or cls.__module__.startswith(f"{module}.")
    return inside and cls.__qualname__ == attribute


UNSAVED = "; save its weights instead (save_weights), and build it again to load them"


def saved(model: Model) -> dict[str, Any]:
    """As ``settings_of``, for a file that a model is built from again.

    Raises:
        ZooError: the model or one of its settings is code that no name in the registry
            stands for.
    """
    found, where = settings_of(model, "models"), type(model).__name__
    if found["name"] is None:
        raise ZooError(
            f"{where} is not registered (entry-point group zoo.models), so a file "
            f"cannot say how to build it{UNSAVED}"
        )
    code = given_as_code(found["settings"])
    if code:
        raise ZooError(
            f"{where}: {', '.join(code)} was given as code, which a file cannot hold{UNSAVED}"
        )
    return found


def described(spec: DataSpec) -> dict[str, Any]:
    """A data spec as JSON has it, which ``rebuild`` reads."""
    return {
        "shape": list(spec.shape),
        "classes": spec.classes,
        "sources": {name: list(shape) for name, shape in spec.sources.items()},
        "unpaired": list(spec.unpaired),
        "missing_labels": spec.missing_labels,
    }


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
        spec = DataSpec(
            tuple(data["shape"]),
            int(data["classes"]),
            {name: tuple(shape) for name, shape in data.get("sources", {}).items()},
            tuple(data.get("unpaired", ())),
            bool(data.get("missing_labels", False)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ZooError(f"the run's manifest is damaged: {error!r}") from error
    own = given_as_code(settings)
    if given is not None:
        if type(given).__qualname__ != cls.rpartition(":")[2]:
            raise ZooError(f"the recipe's model is a {type(given).__name__}, and the run's a {cls}")
        code = {path.partition(".")[0] for path in own}
        known = {key: made(value) for key, value in settings.items() if key not in code}
        return (given.replace(**known) if known else given), spec
    if manifest.get("networks") or own or name is None:
        what = ", ".join([*manifest.get("networks", ()), *own]) or cls
        raise NeedsRecipe(
            f"{what} was given by its recipe, which is code: load it with that recipe, "
            "as --recipe FILE or zoo.load(run, recipe=FILE)"
        )
    return create("models", name, settings), spec


def call_text(name: str, settings: Mapping[str, Any]) -> str:
    """A plugin or a part of it as one writes it, from settings as ``plain`` gives them.

    >>> call_text("gan", {"prior": {"class": "Uniform", "dimension": 2}})
    'gan(prior=Uniform(dimension=2))'
    """
    return f"{name}({', '.join(f'{key}={_text(value)}' for key, value in settings.items())})"


def _text(value: Any) -> str:
    if not isinstance(value, Mapping):
        return repr(value)
    if isinstance(value.get("class"), str):
        name = value["class"].rpartition(":")[2]
        return call_text(name, {k: v for k, v in value.items() if k != "class"})
    return "{" + ", ".join(f"{key!r}: {_text(item)}" for key, item in value.items()) + "}"


def plain(value: Any) -> Any:
    """A value as JSON has it; what JSON has no form for becomes ``{"object": text}``.

    So does a plugin that is not registered. One that is says so in its class:
    ``{"class": "datasets:folder", "path": ...}``.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        name = type(value).__name__
        if kind := kind_of(value):
            record = registered(value, kind)
            if record is None:
                return {"object": repr(value)}
            name = f"{kind}:{record.typed}"
        return {"class": name, **plain(_fields(value))}
    return {"object": repr(value)}
