"""What is wrong with a model is told before it trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from zoo import random
from zoo.engine import inference, terms
from zoo.engine.backends import backend
from zoo.engine.nets import Nets
from zoo.errors import unknown
from zoo.plugin import declared, promises, views
from zoo.plugin.model import Batch
from zoo.plugin.settings import typed
from zoo.runtime.blame import blaming
from zoo.runtime.keras_compat import pure

if TYPE_CHECKING:
    from zoo.engine.model import GenerativeModel

DRY_ROWS = 3  # odd, and unlike any other size: a transposed or summed term shows


def dry_run(model: GenerativeModel, move):
    """Make a move on a few examples: ``{player: names of terms}``, and what it assigned (ids)."""
    where = f"{model.where}.{move.name}"
    found, changed = {}, set()

    def loss():
        labels = ops.zeros((DRY_ROWS,), "int32") if model.data.classes else None
        batch = Batch.of(inference.tensors(_examples(model)), labels)
        rng = random.Generator(model.seed, "dry run", 0, 0, backend.draws_on_host)
        nets = Nets(model.networks, True, model.where, model.data)

        def forward():
            with random.scope(rng), blaming(where):
                return move.loss(nets, batch, rng)

        returned, assigned = pure(forward)
        changed.update(assigned)
        promises.check_terms(returned, model.players, DRY_ROWS, where)
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
            found[player] += (declared.REGULARIZATION,)
    return found, changed


def check_views(model: GenerativeModel):
    """Refuse views that are declared wrong, or give what cannot be drawn."""
    for name, view in views.of(model.plugin).items():
        _tried(model, "view", view.inputs, of=name)


def check_abilities(model: GenerativeModel):
    """Refuse abilities that fail, or give something else than they promise."""
    code: Any = None  # an example of what is decoded, where the model says what a code is
    for ability in dict.fromkeys(("latent", "encode", "decode", *model.plugin.abilities)):
        inputs = {"latent": "noise", "sample": "noise", "decode": "codes"}.get(ability, "examples")
        if model.plugin.can(ability) and (inputs != "codes" or code is not None):
            options = {"samples": 1} if ability == "log_likelihood" else {}
            out = _tried(model, ability, inputs, code, **options)
            code = np.zeros(out.shape, "float32") if ability in ("latent", "encode") else code


def _tried(model, ability, inputs, code=None, **options):
    """What an ability or view gives for a few examples: shapes alone, on JAX."""
    rows, sources = np.arange(DRY_ROWS, dtype="int32"), _examples(model)
    special: dict = {"noise": rows, "codes": code, "batch": sources, "nothing": None}
    first = special.get(inputs, next(iter(sources.values())))
    labels = 0 * rows if model.data.classes and inputs != "nothing" else None
    given = (random.key(model.seed, ability), np.int32(0), first, labels)
    tensors = [*map(inference.tensors, given)]
    return backend.shapes(lambda: model._applied(ability, *tensors, **options))


def _examples(model):
    """``{source: examples}``, dark ones or zeros."""
    low = np.float32((model.plugin.value_range or (0.0,))[0])
    return {name: np.full((DRY_ROWS, *shape), low) for name, shape in model.data.shapes.items()}
