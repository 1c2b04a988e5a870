"""``zoo.build``: a model's settings and data become a Keras model ready to compile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo import random
from zoo.engine import backend, terms
from zoo.engine.base import GenerativeModel
from zoo.engine.initial import redraw
from zoo.engine.nets import Nets, Networks
from zoo.errors import ZooError, blaming, unknown
from zoo.plugin import Batch, DataSpec, Model, as_move
from zoo.settings import check

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
            a loss that returns something else than terms), its code or a factory's fails,
            or the weights or networks name what it does not have.

    Example:

    >>> vae = zoo.build(zoo.model("vae"), zoo.DataSpec((28, 28, 1)))
    >>> vae.compile(optimizers={"autoencoder": keras.optimizers.Adam(1e-3)})
    """
    check(model, Model, "zoo.build: model")
    check(data, DataSpec, "zoo.build: data")
    check(weights or {}, Mapping, "zoo.build: weights")
    check(networks or {}, Mapping, "zoo.build: networks")
    where = type(model).__name__
    if keras.config.image_data_format() != "channels_last":
        raise ZooError(
            "pictures have their channels last in the zoo, but Keras is set to "
            f"{keras.config.image_data_format()!r}: leave out image_data_format (in keras.json "
            'or keras.config), or set it to "channels_last"'
        )
    if model.conditional and not data.classes:
        raise ZooError(f"{where} is conditional, and these data have no labels")
    built = Networks(_networks(model, data, networks or {}, where), where)
    players = _players(model, built, where)
    moves = [as_move(move) for move in _told(model, "moves", Sequence)]
    if not moves:
        raise ZooError(f"{where}: moves() lists no loss; there is nothing to train")
    for move in moves:
        updates = f"{where}: updates of {move.name}"
        for name in check(move.updates, Sequence[str] | None, updates, "is") or ():
            if name not in set(built):
                raise unknown("network", name, built, where=f"{where}, updates of {move.name}")
    result = GenerativeModel(model, data, built, players, moves, seed)
    found = [_dry_run(result, move) for move in moves]
    _check_moves(moves, found, players, where)
    defaults = _told(model, "weights", Mapping)
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


def _told(model, method, annotation):
    """What a method of the model says, checked."""
    what = f"{type(model).__name__}.{method}()"
    with blaming(what):
        said = getattr(model, method)()
    return check(said, annotation, what, "is")


def _networks(model, data, replacements, where):
    with blaming(f"{model} cannot be built for {data}: networks()"):
        own = model.networks(data)
    built = check(own, Mapping, f"{where}.networks()", "is")
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


def _players(model, networks, where):
    told = _told(model, "players", Mapping[str, Sequence[str]])
    players = {player: tuple(names) for player, names in told.items()}
    for player, names in players.items():
        for name in names:
            if name not in set(networks):
                raise unknown(
                    "network", name, networks, where=f"{where}.players(), player {player!r}"
                )
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
        with random.scope(rng), blaming(where):
            returned = move.loss(Nets(model.networks, True, model.where), batch, rng)
        terms.checked(returned, model.players, DRY_ROWS, where)
        if move.when:
            with blaming(f"{where}, when"):
                allowed = move.when(ops.cast(0, "int32"), terms.means(returned))
            for player in check(allowed, Mapping, f"{where}, when", "is"):
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
