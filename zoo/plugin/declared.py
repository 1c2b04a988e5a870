"""What a model's methods declare, checked: networks, players, moves and weights of terms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Number

import keras
import numpy as np

from zoo.errors import ZooError, unknown
from zoo.plugin import budget, limits, serialization
from zoo.plugin.settings import typed
from zoo.runtime.blame import blaming

REGULARIZATION = "regularization"
"""The term of the penalties that layers have on their weights."""


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


def check_moves(moves, found, players, where):
    """Refuse players without a loss, and terms of one player that share a name."""
    for player in players:
        if not any(player in own for own in found):
            raise ZooError(f"{where}: no move has a loss for player {player!r}")
        seen: dict[str, str] = {}
        for move, own in zip(moves, found, strict=True):
            for term in own.get(player, ()):
                if term in seen and term != REGULARIZATION:
                    raise ZooError(
                        f"{where}: {seen[term]} and {move.name} both have a term {term!r} of "
                        f"player {player!r}; give them different names, or the logs mix them"
                    )
                seen[term] = move.name


def idle(networks: Mapping, players: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Networks with trainable numbers that no player trains, and how many of these there are."""
    named = {name for names in players.values() for name in names}
    moved = {id(v) for name in named for v in networks[name].trainable_variables}
    counts = {
        name: sum(math.prod(v.shape) for v in network.trainable_variables if id(v) not in moved)
        for name, network in networks.items()
    }
    return {name: count for name, count in counts.items() if count}


def check_state(networks, moves, updated, assigned, where):
    """Refuse values that a move assigns and no move keeps, unless it says what it updates.

    Args:
        networks: ``{name: network}``.
        moves: all moves, in order.
        updated: for each, names of the networks whose state it changes.
        assigned: for each, the ``id`` of the variables that its loss assigns.
        where: the model's name, for the message.

    Raises:
        ZooError: naming the move, the variable and the network.
    """
    kept = set()
    for names, ids in zip(updated, assigned, strict=True):
        kept |= {id(v) for n in names for v in networks[n].non_trainable_variables} & ids
    for move, names, ids in zip(moves, updated, assigned, strict=True):
        for name, network in networks.items() if move.updates is None else ():
            for variable in network.variables:
                if id(variable) in ids - kept:
                    how = (
                        f"write zoo.Move(self.{move.name}, updates={(*names, name)}), or "
                        f"updates={tuple(names)} if it is to be dropped"
                    )
                    if variable.trainable:
                        how = "give it trainable=False, since only such variables can be assigned"
                    raise ZooError(
                        f"{where}.{move.name} assigns {variable.path} of the network {name!r}, "
                        f"and no move keeps what it assigns: {how}"
                    )


def check_weights(weights, terms, where: str) -> None:
    """Refuse weights of players or terms that do not exist, and what is no weight."""
    for player, values in weights.items():
        if player not in terms:
            raise unknown("player", player, terms, where=f"{where}, weights")
        if not hasattr(values, "items"):
            raise ZooError(f"{where}: the weights of {player!r} are {{term: number}}")
        for term, weight in values.items():
            if term not in terms[player]:
                raise unknown("term", term, terms[player], where=f"{where}, weights of {player!r}")
            if not (callable(weight) or isinstance(weight, Number)) or isinstance(weight, bool):
                raise ZooError(
                    f"{where}: the weight of {player}/{term} is a number or a schedule "
                    f"(a function of the step), not {weight!r}"
                )
