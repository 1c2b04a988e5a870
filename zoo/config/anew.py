"""``model=iwae``, ``dataset=folder dataset.path=DIR``: a recipe with another model or dataset."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from zoo.config import recipe_files
from zoo.config.recipe import Recipe
from zoo.config.values import parsed
from zoo.errors import ZooError
from zoo.plugin import registry
from zoo.plugin.settings import called, field_types

KINDS = {"model": "models", "dataset": "datasets"}
"""``{field of a recipe: the kind of what it holds}``"""


def replaced(
    recipe: Recipe, field: str, text: str, later: Sequence[str]
) -> tuple[Recipe, list[str]]:
    """A recipe with a model or dataset named anew, and the changes that are still to be made.

    Args:
        recipe: left as it is.
        field: ``"model"`` or ``"dataset"``.
        text: a registered name or a class's, also with settings: ``folder``,
            ``Folder(path='pictures')``.
        later: the changes after this one. The part is made with the settings that they give it.

    Raises:
        ZooError: no such name, a setting that does not fit or is missing, or a model with
            players that the recipe has no optimizers for.
    """
    kind, (head, bracket, tail) = KINDS[field], text.partition("(")
    distribution, slash, short = head.rpartition("/")
    records = registry.records(kind)
    call = called(f"{short}{bracket}{tail}", [record.typed for record in records], field)
    of_class = [r.typed for r in records if r.target.endswith(f":{call.name}")]
    name = f"{distribution}{slash}{call.name}" if slash or not of_class else of_class[0]
    cls = registry.load(kind, name)
    settings, rest = call.settings(cls, field), _taken(cls, field, later)
    settings |= rest.settings
    missing = [f.name for f in dataclasses.fields(cls) if _needed(f) and f.name not in settings]
    if missing:
        raise ZooError(
            f"{field}={name} needs {', '.join(missing)}: add "
            + " ".join(f"{field}.{setting}=VALUE" for setting in missing)
        )
    made = registry.create(kind, name, **settings)
    if field == "dataset":
        return dataclasses.replace(recipe, dataset=made), rest.changes
    return _with_model(recipe, made, name), rest.changes


@dataclasses.dataclass
class _Taken:
    """Settings out of changes, and the changes that are left."""

    settings: dict[str, Any]
    changes: list[str]


def _taken(cls: type, field: str, later: Sequence[str]) -> _Taken:
    """The settings of a class among later changes, up to one that names the part again."""
    found, types = _Taken({}, []), field_types(cls)
    names = {f.name for f in dataclasses.fields(cls) if f.init}
    for place, change in enumerate(later):
        key, sign, text = change.partition("=")
        owner, _, name = key.partition(".")
        if key == field:
            found.changes += later[place:]
            break
        if sign and owner == field and name in names:
            found.settings[name] = parsed(text, types.get(name, Any), key)
        else:
            found.changes.append(change)
    return found


def _needed(field: dataclasses.Field) -> bool:
    missing = dataclasses.MISSING
    return field.init and field.default is missing and field.default_factory is missing


def _with_model(recipe: Recipe, model: Any, name: str) -> Recipe:
    """The recipe with another model, whose weights and networks are its own."""
    if type(model) is type(recipe.model):
        return dataclasses.replace(recipe, model=model)
    if set(model.players()) != set(recipe.optimizers):
        others = recipe_files.using("models", name)
        raise ZooError(
            f"model={name}: it trains {', '.join(model.players())}, and the recipe has optimizers "
            f"for {', '.join(recipe.optimizers)}. "
            + (f"Take a recipe of {name}: {', '.join(others)}" if others else "Write a recipe")
        )
    return dataclasses.replace(recipe, model=model, weights={}, networks={})
