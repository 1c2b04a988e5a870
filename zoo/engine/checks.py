"""What is wrong with a model is told before it trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import keras
from keras import ops

from zoo import random
from zoo.engine import terms
from zoo.engine.backends import backend
from zoo.engine.nets import Nets
from zoo.errors import ZooError, unknown
from zoo.plugin.model import Batch
from zoo.plugin.settings import typed
from zoo.runtime.blame import blaming

if TYPE_CHECKING:
    from zoo.engine.model import GenerativeModel

DRY_ROWS = 3  # odd, and unlike any other size: a transposed or summed term shows


def declared(model, method, annotation):
    """What a method of the model says, checked."""
    what = f"{type(model).__name__}.{method}()"
    with blaming(what):
        said = getattr(model, method)()
    return typed(said, annotation, what, "is")


def networks(model, data, replacements, where):
    """The networks that a model makes for its data, some of them replaced by a recipe's own."""
    with blaming(f"{model} cannot be built for {data}: networks()"):
        own = model.networks(data)
    built = typed(own, Mapping, f"{where}.networks()", "is")
    for name, factory in replacements.items():
        if name not in built:
            raise unknown("network", name, built, where=where)
        built[name] = _replacement(factory, data, model, f"{where}: the given network {name!r}")
    return built


def _replacement(factory, data, model, where):
    if isinstance(factory, keras.layers.Layer) or not callable(factory):
        raise ZooError(
            f"{where} is a function of (data, model) that makes one, not {type(factory).__name__}"
        )
    with blaming(where):
        made = factory(data, model)
    if not isinstance(made, keras.layers.Layer):
        raise ZooError(f"{where} comes as {type(made).__name__}, not as a keras model or layer")
    return made


def players(model, networks, where):
    """``{player: names of its networks}``, each of which exists."""
    told = declared(model, "players", Mapping[str, Sequence[str]])
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


def dry_run(model: GenerativeModel, move):
    """Make a move on a few examples, for the names and shapes of its terms."""
    where = f"{model.where}.{move.name}"
    low = (model.plugin.value_range or (0.0,))[0]
    shapes = {name: (DRY_ROWS, *shape) for name, shape in model.data.shapes.items()}
    found = {}

    def loss():
        sources = {name: ops.full(shape, low, "float32") for name, shape in shapes.items()}
        labels = ops.zeros((DRY_ROWS,), "int32") if model.data.classes else None
        batch = Batch.of(sources, labels)
        rng = random.Generator(model.seed, "dry run", 0, 0, backend.draws_on_host)
        with random.scope(rng), blaming(where):
            returned = move.loss(Nets(model.networks, True, model.where, model.data), batch, rng)
        terms.checked(returned, model.players, DRY_ROWS, where)
        if move.when:
            with blaming(f"{where}, when"):
                allowed = move.when(ops.cast(0, "int32"), terms.means(returned))
            for player in typed(allowed, Mapping, f"{where}, when", "is"):
                if player not in returned:
                    raise unknown("player", player, returned, where=f"{where}, when")
        found.update({player: tuple(own) for player, own in returned.items()})
        return terms.means(returned)

    backend.shapes(loss)
    for player in found:
        if any(v.regularizer is not None for v in model.player_variables()[player]):
            found[player] += (terms.REGULARIZATION,)
    return found


def check_moves(moves, found, players, where):
    """Refuse players without a loss, and terms of one player that share a name."""
    for player in players:
        if not any(player in own for own in found):
            raise ZooError(f"{where}: no move has a loss for player {player!r}")
        seen: dict[str, str] = {}
        for move, own in zip(moves, found, strict=True):
            for term in own.get(player, ()):
                if term in seen and term != terms.REGULARIZATION:
                    raise ZooError(
                        f"{where}: {seen[term]} and {move.name} both have a term {term!r} of "
                        f"player {player!r}; give them different names, or the logs mix them"
                    )
                seen[term] = move.name
