"""What is wrong with a model is told before it trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from keras import ops

from zoo import random
from zoo.engine import terms
from zoo.engine.backends import backend
from zoo.engine.nets import Nets
from zoo.errors import ZooError, unknown
from zoo.plugin import views
from zoo.plugin.model import Batch
from zoo.plugin.settings import typed
from zoo.runtime.blame import blaming

if TYPE_CHECKING:
    from zoo.engine.model import GenerativeModel

DRY_ROWS = 3  # odd, and unlike any other size: a transposed or summed term shows


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


def check_views(model: GenerativeModel):
    """Refuse views that are declared wrong, or give what cannot be drawn."""
    labels = np.zeros((DRY_ROWS,), "int32") if model.data.classes else None
    x = np.zeros((DRY_ROWS, *model.data.shape), "float32") + (model.plugin.value_range or (0.0,))[0]
    for name, view in views.of(model.plugin).items():
        given = {"examples": x, "noise": np.arange(DRY_ROWS, dtype="int32"), "nothing": None}
        parts = [random.key(model.seed, name), np.int32(0), given[view.inputs]]
        parts += [None if view.inputs == "nothing" else labels]
        tensors = [None if part is None else ops.convert_to_tensor(part) for part in parts]
        backend.shapes(lambda: model._applied("view", *tensors, of=name))  # noqa: B023  # called now
