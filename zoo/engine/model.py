"""``GenerativeModel``: an ordinary ``keras.Model`` that makes the moves of a zoo model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
from keras import ops

from zoo.engine import accelerate, checks, terms
from zoo.engine.backends import backend
from zoo.engine.backends.shared import unique
from zoo.engine.inference import Inference
from zoo.engine.initializers import redraw
from zoo.engine.nets import Networks
from zoo.engine.optimizers import PlayerOptimizers, prepared
from zoo.engine.step import TrainingStep
from zoo.errors import ZooError, unknown
from zoo.plugin import declared, network_configs, registry, serialization
from zoo.plugin.entrance import Entrance
from zoo.plugin.model import DataSpec, Model, as_move
from zoo.plugin.settings import typed
from zoo.plugin.sources import refuse_mismatch
from zoo.runtime.keras import check_settings, no_tensorflow, precision, serialized


@keras.saving.register_keras_serializable("zoo")
class GenerativeModel(Entrance, TrainingStep, Inference, backend.Trainer, keras.Model):
    """The networks of a zoo model, trained by ``compile`` and ``fit`` as any Keras model.

    ``zoo.build`` makes one. ``fit`` takes ``x`` or ``x, labels``: uint8 pictures, which
    are scaled to the model's ``value_range``, or float32 already in that range; or a dict of
    the data's sources: ``{"photo": ..., "sketch": ..., "label": ...}``. Labels are integers from
    0 or one-hot. What is neither is refused (``zoo/plugin/border.py``). Where a move repeats,
    a step's batch is divided among the repeats.

    Attributes:
        plugin: the ``zoo.Model``, its settings.
        data: the ``DataSpec`` it was built for.
        networks: ``{name: keras model}``.
        players: ``{player: names of its networks}``.
        terms: ``{player: names of its loss terms}``.
    """

    def __init__(
        self, plugin: Model, data: DataSpec, networks: Networks, players, moves, seed: int
    ):
        super().__init__(name=type(plugin).__name__.lower())
        self.plugin = plugin
        self.data = data
        self.networks = networks
        self.players = dict(players)
        self.seed = seed
        self.repeats = max(move.repeat for move in moves)
        self._moves = tuple(moves)
        self.terms: dict[str, tuple[str, ...]] = {}
        self.built = True

    # --- compiling

    def set_terms(self, terms_of_moves, weights) -> None:
        """Fix the terms of the losses, known from a dry run, and their weights.

        Args:
            terms_of_moves: for each move, ``{player: names of terms}``.
            weights: ``{player: {term: number or schedule}}``; 1 where silent.
        """
        self._movers = tuple(tuple(own) for own in terms_of_moves)
        self._terms_of_moves = tuple(terms_of_moves)
        self._loss_weights = weights
        self._logged = terms.Logged(terms_of_moves, self.players)
        self.terms = self._logged.terms
        self._terms = terms.Terms(self._logged.names)

    def described_moves(self):
        """For each move, ``(move, {player: {term: weight}})``, in order."""
        for move, own in zip(self._moves, self._terms_of_moves, strict=True):
            weights = {p: self._loss_weights.get(p, {}) for p in own}
            yield move, {p: {t: weights[p].get(t, 1.0) for t in names} for p, names in own.items()}

    def compile(
        self,
        optimizers=None,
        *,
        optimizer=None,
        ema: float | None = None,
        skip_nonfinite: bool = False,
        run_eagerly: bool = False,
        jit_compile: bool | str = "auto",
        steps_per_execution: int = 1,
        **others,
    ):
        """Give every player its optimizer. Weights that are trainable now will be trained.

        Args:
            optimizers, optimizer: ``{player: Keras optimizer or its name}``; or a name, for all;
                or an optimizer, for the only player.
            ema: momentum in [0, 1) of a moving average of all weights, or None. Swap it
                in with ``keras.callbacks.SwapEMAWeights``; when ``fit`` ends, the
                averages are the weights, as with ``use_ema`` in Keras.
            skip_nonfinite: leave out a move, and what it says of the step, of which a term or
                gradient is not finite. The logs then count such steps as ``skipped``.
            run_eagerly, jit_compile, steps_per_execution: as in ``keras.Model.compile``.

        Raises:
            ZooError: a player without an optimizer, or one that does not exist; a loss or metrics.
        """
        optimizers = self.optimizer_per_player(optimizers, optimizer, others)
        groups = self.player_variables()
        scaled = any(
            layer.dtype_policy.name == "mixed_float16"
            for layer in self._flatten_layers(recursive=True)
        )
        ready = prepared(optimizers, groups, scaled=scaled, where=self.where)
        for optimizer in ready.values():
            backend.prepare(optimizer)
        with accelerate.initial_values():
            optimizers = PlayerOptimizers(ready, groups, ema=ema)
        self._kept: list = [None if run_eagerly else {} for _ in self._moves]
        self._skip_nonfinite = self._terms.counts_skipped = skip_nonfinite
        super().compile(
            optimizer=optimizers,
            run_eagerly=run_eagerly,
            jit_compile=jit_compile,
            steps_per_execution=steps_per_execution,
            auto_scale_loss=False,
        )

    def player_variables(self) -> dict[str, list]:
        """``{player: trainable variables of its networks}``."""
        return {
            player: unique({name: self.networks[name].trainable_variables for name in names})
            for player, names in self.players.items()
        }

    @property
    def metrics(self):
        return [self._terms]

    @property
    def metrics_names(self):
        return [*self._terms.names, *(["skipped"] if self._terms.counts_skipped else [])]

    def current_logs(self):
        """The means since the last reset, float32, in the order of ``metrics_names``."""
        skipped = [self._terms.skipped] if self._terms.counts_skipped else []
        return ops.concatenate(
            [self._terms.values(), *(ops.cast(n, "float32")[None] for n in skipped)]
        )

    def _flatten_metrics_in_order(self, logs):
        return [logs[name] for name in self.metrics_names]  # the loss first, as in Keras

    def reset_metrics(self):
        super().reset_metrics()
        if self.compiled:
            # for schedules in evaluation, to which Keras hands no optimizer on JAX
            self._terms.step.assign(ops.copy(self.optimizer.iterations))

    # --- saving whole, as keras.saving does

    def get_config(self):
        return _config_of(self)

    @classmethod
    def from_config(cls, config):
        return _rebuilt(config)

    def get_compile_config(self):
        if not self.compiled:
            return {}
        # not how to compile, which is up to the backend and machine that load it
        average = self.optimizer.average
        return {
            "optimizers": {p: serialized(o) for p, o in self.optimizer.by_player.items()},
            "ema": None if average is None else average.ema_momentum,
        }

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))


def build(
    model: Model | str,
    data: DataSpec,
    *,
    weights: Mapping[str, Mapping[str, Any]] | None = None,
    networks: Mapping[str, Callable] | None = None,
    seed: int = 0,
) -> GenerativeModel:
    """Build the networks of a model and check its losses, before anything is trained.

    The networks follow Keras's settings of this process (its dtype policy, such as
    ``mixed_bfloat16``, its ``floatx`` and ``epsilon``). Those of a run follow the recipe alone.

    Args:
        model: a ``zoo.Model``, such as ``zoo.model("vae", latent_dim=2)``, or its registered name.
        data: what it is for, such as ``zoo.DataSpec((28, 28, 1))``.
        weights: ``{player: {term: number or schedule}}`` in place of the model's own.
        networks: ``{name: factory(data, model)}`` in place of the model's own networks.
        seed: of the initial weights and of all noise.

    Returns:
        A ``keras.Model``: ``compile(optimizers={player: ...})`` and ``fit`` it.

    Raises:
        ZooError: the model contradicts itself (a player that trains an unknown network,
            a loss that returns something else than terms), its code or a factory's fails,
            the weights or networks name what it does not have, or ``ZOO_ACCELERATE`` names
            an unknown acceleration.

    Example:

    >>> vae = zoo.build("vae", zoo.DataSpec((28, 28, 1)))
    >>> vae.compile(optimizers={"autoencoder": keras.optimizers.Adam(1e-3)})
    """
    model = registry.model(model) if isinstance(model, str) else model
    typed(model, Model, "zoo.build: model")
    typed(data, DataSpec, "zoo.build: data")
    typed(weights or {}, Mapping, "zoo.build: weights")
    typed(networks or {}, Mapping, "zoo.build: networks")
    where = type(model).__name__
    check_settings()
    refuse_mismatch(model, data)
    accelerate.install(keras.backend.backend(), backend.device())
    with accelerate.initial_values():
        built = Networks(declared.networks(model, data, networks or {}, where), where)
        players = declared.players(model, built, where)
        moves = [as_move(move) for move in declared.said(model, "moves", Sequence)]
        if not moves:
            raise ZooError(f"{where}: moves() lists no loss; there is nothing to train")
        for move in moves:
            updates = f"{where}: updates of {move.name}"
            for name in typed(move.updates, Sequence[str] | None, updates, "is") or ():
                if name not in set(built):
                    raise unknown("network", name, built, where=f"{where}, updates of {move.name}")
        result = GenerativeModel(model, data, built, players, moves, seed)
        found, assigned = zip(*(checks.dry_run(result, move) for move in moves), strict=True)
        declared.check_moves(moves, found, players, where)
        updated = [result.updated(*pair) for pair in zip(moves, found, strict=True)]
        declared.check_state(dict(built.items()), moves, updated, assigned, where)
        checks.check_views(result)
        defaults = declared.said(model, "weights", Mapping)
        names = {p: {t for terms_ in found for t in terms_.get(p, ())} for p in players}
        declared.check_weights(defaults, names, where)
        declared.check_weights(weights or {}, names, where)
        merged = {p: {**defaults.get(p, {}), **(weights or {}).get(p, {})} for p in players}
        result.set_terms(found, merged)
        result.given_weights = dict(weights or {})
        result.given_networks = tuple(networks or ())
        kept = declared.pretrained(model, data, networks or {}, built, where)
        redraw(built.items(), seed, kept)
    return result


def _config_of(model) -> dict[str, Any]:
    """What ``_rebuilt`` needs, as JSON has it; ``ZooError`` where some of it is code."""
    plugin = serialization.saved(model.plugin)
    try:
        own = network_configs.kept(dict(model.networks.items()), model.given_networks)
    except ZooError as error:
        raise ZooError(f"{model.where}: {error}{serialization.UNSAVED}") from error
    with no_tensorflow():
        weights = keras.saving.serialize_keras_object(model.given_weights)
    return {
        "model": plugin,
        "data": serialization.described(model.data),
        "weights": weights,
        "own_networks": own,
        "seed": model.seed,
        "dtype": model.dtype_policy.name,
    }


def _rebuilt(config: dict[str, Any]):
    """The model that ``_config_of`` described."""
    plugin, data = serialization.rebuild(config)
    weights = keras.saving.deserialize_keras_object(config["weights"])
    with precision(config["dtype"]):
        networks = network_configs.factories(config.get("own_networks", {}))
        return build(plugin, data, weights=weights, networks=networks, seed=config["seed"])
