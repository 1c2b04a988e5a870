"""``zoo.build``: a model's settings and data become a Keras model ready to compile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo import random
from zoo.engine import backend, terms
from zoo.engine.base import GenerativeModel
from zoo.engine.initial import redraw
from zoo.engine.nets import Nets, Networks
from zoo.errors import ZooError, unknown
from zoo.plugin import Batch, DataSpec, Model, as_move

DRY_ROWS = 3  # odd, and unlike any other size: a transposed or summed term shows


def build(
    model: Model,
    data: DataSpec,
    *,
    weights: Mapping[str, Mapping[str, Any]] | None = None,
    networks: Mapping[str, Callable] | None = None,
    seed: int = 0,
) -> GenerativeModel:
    """Build the networks of a model and check its losses, before anything is trained.

    Args:
        model: a ``zoo.Model``, such as ``zoo.model("vae", latent_dim=2)``.
        data: what it is for, such as ``zoo.DataSpec((28, 28, 1))``.
        weights: ``{player: {term: number or schedule}}`` in place of the model's own.
        networks: ``{name: factory(data, model)}`` in place of the model's own networks.
        seed: of the initial weights and of all noise.

    Returns:
        A ``keras.Model``: ``compile(optimizers={player: ...})`` and ``fit`` it.

    Raises:
        ZooError: the model contradicts itself (a player that trains an unknown network,
            a loss that returns something else than terms), or the weights or networks
            name what it does not have.

    Example:

    >>> vae = zoo.build(zoo.model("vae"), zoo.DataSpec((28, 28, 1)))
    >>> vae.compile(optimizers={"autoencoder": keras.optimizers.Adam(1e-3)})
    """
    where = type(model).__name__
    if keras.config.image_data_format() != "channels_last":
        raise ZooError(
            "pictures have their channels last in the zoo, but Keras is set to "
            f"{keras.config.image_data_format()!r}: leave out image_data_format (in keras.json "
            'or keras.config), or set it to "channels_last"'
        )
    built = Networks(_networks(model, data, networks or {}, where), where)
    players = _players(model, built, where)
    moves = [as_move(move) for move in model.moves()]
    if not moves:
        raise ZooError(f"{where}: moves() lists no loss; there is nothing to train")
    for move in moves:
        for name in move.updates or ():
            if name not in set(built):
                raise unknown("network", name, built, where=f"{where}, updates of {move.name}")
    result = GenerativeModel(model, data, built, players, moves, seed)
    found = [_dry_run(result, move) for move in moves]
    _check_moves(moves, found, players, where)
    defaults = model.weights()
    names = {p: {t for terms_ in found for t in terms_.get(p, ())} for p in players}
    terms.check_weights(defaults, names, where)
    terms.check_weights(weights or {}, names, where)
    merged = {p: {**defaults.get(p, {}), **(weights or {}).get(p, {})} for p in players}
    result.set_terms(found, merged)
    result.given_weights = dict(weights or {})
    result.given_networks = tuple(networks or ())
    # networks of the user's own keep their weights, which may be pretrained
    redraw([(name, net) for name, net in built.items() if name not in (networks or {})], seed)
    return result


def _networks(model, data, replacements, where):
    try:
        built = dict(model.networks(data))
    except ValueError as error:  # as Keras refuses a setting that a layer cannot have
        raise ZooError(f"{model} cannot be built for {data}: {_line(error)}") from error
    for name, factory in replacements.items():
        if name not in built:
            raise unknown("network", name, built, where=where)
        built[name] = factory(data, model)
    return built


def _line(error):
    return " ".join(str(error).split())


def _players(model, networks, where):
    players = {player: tuple(names) for player, names in dict(model.players()).items()}
    for player, names in players.items():
        for name in names:
            if name not in set(networks):
                raise unknown("network", name, networks, where=f"{where}, player {player!r}")
    if not players:
        raise ZooError(f"{where}: players() names no player; at least one has to train")
    return players


def _dry_run(model: GenerativeModel, move):
    """Make a move on a few examples, for the names and shapes of its terms."""
    where = f"{model.where}.{move.name}"
    x = np.zeros((DRY_ROWS, *model.data.shape), "float32")
    labels = np.zeros((DRY_ROWS,), "int32") if model.data.classes else None
    found = {}

    def loss():
        batch = Batch(
            ops.convert_to_tensor(x) + (model.plugin.value_range or (0.0,))[0],
            None if labels is None else ops.convert_to_tensor(labels),
        )
        rng = random.Generator(model.seed, "dry run", 0, 0, backend.draws_on_host)
        with random.scope(rng):
            returned = move.loss(Nets(model.networks, True, model.where), batch, rng)
        terms.checked(returned, model.players, DRY_ROWS, where)
        if move.when:
            for player in move.when(ops.cast(0, "int32"), terms.means(returned)):
                if player not in returned:
                    raise unknown("player", player, returned, where=f"{where}, when")
        found.update({player: tuple(own) for player, own in returned.items()})
        return terms.means(returned)

    backend.shapes(loss)
    for player in found:
        if any(v.regularizer is not None for v in model.player_variables()[player]):
            found[player] += (terms.REGULARIZATION,)
    return found


def _check_moves(moves, found, players, where):
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
