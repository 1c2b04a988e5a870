"""``key=value`` on the command line: a recipe with some settings changed."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, get_args

import keras

from zoo.config import anew
from zoo.config.recipe import Recipe
from zoo.config.values import literal, parsed
from zoo.errors import ZooError, shortened, unknown
from zoo.plugin.settings import field_types, parts, typed
from zoo.runtime.keras import config_of

_Changed = TypeVar("_Changed", Recipe, Mapping[str, Any])


def override(recipe: _Changed, changes: Sequence[str]) -> _Changed:
    """A recipe with changes such as ``"epochs=3"`` or ``"model.latent_dim=8"`` made.

    A key names a setting by its path: fields of the recipe, of its model and dataset;
    ``optimizers.PLAYER.learning_rate``; ``weights.PLAYER.TERM``; callbacks and metrics
    by their place or class, ``callbacks.SampleGrid.every``. ``callbacks=[]`` leaves them out,
    as ``{}`` and ``None`` do whatever else a recipe need not have. ``model=NAME`` and
    ``dataset=NAME`` name these anew, with the settings that follow.

    Args:
        recipe: left as it is; or a part of one, ``{field: value}``.
        changes: each ``key=value``, split at the first ``=``; the value is a Python
            literal, or else text.

    Raises:
        ZooError: a key that is not there, with the nearest spelling, or a value of
            another type.
    """
    pending = list(changes)
    while pending:
        change, *pending = pending
        key, sign, text = change.partition("=")
        if not sign or not key:
            raise ZooError(f"{shortened(repr(change), 80)}: a change is key=value, as in epochs=3")
        if isinstance(recipe, Recipe) and key in anew.KINDS:
            recipe, pending = anew.replaced(recipe, key, text, pending)  # type: ignore[assignment]
        else:
            recipe = _change(recipe, key.split("."), text, ())
    return recipe


def _change(owner: Any, path: Sequence[str], text: str, done: tuple[str, ...]) -> Any:
    """The owner with the setting at the path changed; ``done`` is the path to the owner."""
    name, rest, here = path[0], path[1:], (*done, path[0])
    if done[:1] == ("weights",):
        return _weights(owner, path, text, done)
    if done[:1] == ("optimizers",) and isinstance(owner, str):
        owner = _named_optimizer(owner, done)
    if isinstance(owner, Mapping):
        if name not in owner:
            raise unknown("setting", name, owner, where=".".join(done))
        inner = len(done) > 2  # within a part's own settings, such as a schedule's
        like = _like(owner[name]) if inner else Any
        return {**owner, name: _next(owner[name], rest, text, here, like)}
    if isinstance(owner, (list, tuple)):
        place = _place(owner, name, done)
        like = _like(owner[place]) if len(done) > 2 else Any
        changed = _next(owner[place], rest, text, here, like)
        return [*owner[:place], changed, *owner[place + 1 :]]
    if dataclasses.is_dataclass(owner):
        return _dataclass(owner, name, rest, text, here, done)
    if hasattr(owner, "get_config"):
        config = config_of(owner)
        if name not in config:
            raise unknown("setting", name, config, where=".".join(done))
        value = _next(config[name], rest, text, here, _like(config[name]))
        return _configured(owner, {**config, name: value}, here)
    return _object(owner, name, rest, text, here, done)


def _next(value, rest, text, here, annotation):
    if rest:
        return _change(value, rest, text, here)
    return parsed(text, annotation, ".".join(here))


def _dataclass(owner, name, rest, text, here, done):
    names = [f.name for f in dataclasses.fields(owner) if f.init]
    if name not in names:
        where = ".".join(done) or "recipe"
        raise unknown("setting", name, names, where=where)
    value = getattr(owner, name)
    annotation = field_types(type(owner)).get(name, Any)
    if not rest and parts(annotation):
        return _replaced(owner, name, parsed(text, annotation, ".".join(here)), here)
    composed = isinstance(value, (Mapping, list)) or dataclasses.is_dataclass(value)
    if not rest and composed:
        changed = _left_out(owner, name, text, annotation, ".".join(here))
    else:
        changed = typed(_next(value, rest, text, here, annotation), annotation, ".".join(here))
    return _replaced(owner, name, changed, here)


def _replaced(owner, name, changed, here):
    try:
        return dataclasses.replace(owner, **{name: changed})
    except (TypeError, ValueError) as error:
        raise ZooError(f"{'.'.join(here)}: {error}") from error


def _left_out(owner, name, text, annotation, where):
    """What is left of a setting with parts that text takes away whole: ``callbacks=[]``."""
    value = getattr(owner, name)
    empty: list[Any] = []
    if _has_default(owner, name):
        if isinstance(value, (Mapping, list)):
            empty = [{}] if isinstance(value, Mapping) else [[]]
        elif type(None) in get_args(annotation):
            empty = [None]
    given = literal(text)
    if (list(given) if isinstance(given, tuple) else given) in empty:
        return empty[0]
    how = f"{where}.NAME=..."
    if isinstance(value, list) and value:
        names = dict.fromkeys(type(item).__name__ for item in value)
        how += f", where NAME is {' or '.join(names)}, or a place from 0"
    without = f"; {where}={empty[0]} leaves it out" if empty else ""
    raise ZooError(f"{where} is changed in its parts: {how}{without}")


def _has_default(owner, name):
    field = next(f for f in dataclasses.fields(owner) if f.name == name)
    missing = dataclasses.MISSING
    return field.default is not missing or field.default_factory is not missing


def _weights(owner, path, text, done):
    """Weights may be set for terms the recipe is silent on; the model checks their names."""
    if len(done) + len(path) != 3:
        raise ZooError("a weight is set as weights.PLAYER.TERM=number")
    if len(done) == 1:
        player, term = path
        return {**owner, player: _weights(owner.get(player, {}), [term], text, (*done, player))}
    return {**owner, path[0]: parsed(text, float, ".".join((*done, path[0])))}


def _place(items, name, done):
    classes = [type(item).__name__ for item in items]
    if name in map(str, range(len(items))):
        return int(name)
    if classes.count(name) == 1:
        return classes.index(name)
    if name in classes:
        places = ", ".join(str(i) for i, kind in enumerate(classes) if kind == name)
        raise ZooError(f"{'.'.join(done)} has {name} at places {places}: name one by its place")
    raise unknown("entry", name, [*classes, *map(str, range(len(items)))], where=".".join(done))


def _configured(owner, config, here):
    try:
        return type(owner).from_config(config)
    except (TypeError, ValueError) as error:
        raise ZooError(f"{'.'.join(here)}: {error}") from error
    except Exception as error:  # Keras uses some settings before it looks at them
        kind, value = type(owner).__name__, config.get(here[-1])
        raise ZooError(f"{'.'.join(here)}: Keras makes no {kind} with {value!r}") from error


def _named_optimizer(name, done):
    try:
        return keras.optimizers.get(name)
    except ValueError as error:
        raise ZooError(f"{'.'.join(done)}: Keras has no optimizer {name!r}") from error


def _object(owner, name, rest, text, here, done):
    """A setting of a plain object, such as a Keras callback."""
    if not hasattr(owner, "__dict__"):
        raise ZooError(f"{'.'.join(done)} is {owner!r} and has no parts; it is set as a whole")
    settings = [key for key in vars(owner) if not key.startswith("_")]
    if name not in settings:
        raise unknown("setting", name, settings, where=".".join(done))
    value = getattr(owner, name)
    changed = copy.copy(owner)
    setattr(changed, name, _next(value, rest, text, here, _like(value)))
    return changed


def _like(value) -> Any:
    """The annotation that accepts what could stand in a value's place."""
    if value is None:  # what Keras leaves out by default are numbers and switches
        return float | int | bool | None
    if isinstance(value, Mapping):  # it holds a schedule
        return float | int | Mapping
    if isinstance(value, (list, tuple)):
        numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in value)
        return tuple[float | int, ...] if value and numbers else tuple
    return type(value)
