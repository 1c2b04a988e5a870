"""What a model's methods declare, checked: its networks and its players."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from zoo.errors import ZooError, unknown
from zoo.plugin import budget, limits, serialization
from zoo.plugin.settings import typed
from zoo.runtime.blame import blaming


def said(model, method, annotation):
    """What a method of the model says, checked."""
    what = f"{type(model).__name__}.{method}()"
    with blaming(what):
        said = getattr(model, method)()
    return typed(said, annotation, what, "is")


def networks(model, data, replacements, where):
    """The networks that a model makes for its data, some of them replaced by a recipe's own."""
    limits.check_counts(serialization.plain(model), where)
    with blaming(f"{model} cannot be built for {data}: networks()"):
        own = budget.built(lambda: model.networks(data), where)
    built = typed(own, Mapping, f"{where}.networks()", "is")
    for name, factory in replacements.items():
        if name not in built:
            raise unknown("network", name, built, where=where)
        built[name] = _replacement(factory, data, model, f"{where}: the given network {name!r}")
    return built


def pretrained(model, data, replacements, built, where) -> set[int]:
    """The ``id`` of variables of a recipe's own networks that were given a value.

    Each network is made once more: what differs then is drawn at random.
    """
    found: set[int] = set()
    for name, factory in replacements.items():
        again = _replacement(factory, data, model, f"{where}: the given network {name!r}")
        own, other = built[name].variables, again.variables
        if len(own) == len(other):
            found |= {id(a) for a, b in zip(own, other, strict=True) if _equal(a, b)}
    return found


def _equal(a, b) -> bool:
    one, other = (keras.ops.convert_to_numpy(v) for v in (a, b))
    return a is b or np.array_equal(one, other, equal_nan=True)


def _replacement(factory, data, model, where):
    if isinstance(factory, keras.layers.Layer) or not callable(factory):
        raise ZooError(
            f"{where} is a function of (data, model) that makes one, not {type(factory).__name__}"
        )
    with blaming(where):
        made = budget.built(lambda: factory(data, model), where)
    if not isinstance(made, keras.layers.Layer):
        raise ZooError(f"{where} comes as {type(made).__name__}, not as a keras model or layer")
    return made


def players(model, networks, where):
    """``{player: names of its networks}``, each of which exists."""
    told = said(model, "players", Mapping[str, Sequence[str]])
    found = {player: tuple(names) for player, names in told.items()}
    for player, names in found.items():
        for name in names:
            if name not in set(networks):
                raise unknown(
                    "network", name, networks, where=f"{where}.players(), player {player!r}"
                )
    if not found:
        raise ZooError(f"{where}: players() names no player; at least one has to train")
    return found
