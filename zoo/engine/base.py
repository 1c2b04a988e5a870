"""``GenerativeModel``: an ordinary ``keras.Model`` that makes the moves of a zoo model."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from zoo import random
from zoo.engine import backend, saving, terms
from zoo.engine.abilities import Abilities
from zoo.engine.nets import Nets, Networks
from zoo.engine.players import Players, prepared, serialized, unique
from zoo.errors import ZooError
from zoo.plugin import Batch, DataSpec, Model, Move


@keras.saving.register_keras_serializable("zoo")
class GenerativeModel(Abilities, backend.Trainer, keras.Model):
    """The networks of a zoo model, trained by ``compile`` and ``fit`` as any Keras model.

    ``zoo.build`` makes one. ``fit`` takes ``x`` or ``x, labels``: uint8 pictures, which
    are scaled to the model's ``value_range``, or float32 already in that range. Where
    a move repeats, a step's batch is divided among the repeats.

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

    @property
    def where(self) -> str:
        """The name that messages use."""
        return type(self.plugin).__name__

    # --- compiling

    def set_terms(self, terms_of_moves, weights) -> None:
        """Fix the terms of the losses, known from a dry run, and their weights.

        Args:
            terms_of_moves: for each move, ``{player: names of terms}``.
            weights: ``{player: {term: number or schedule}}``; 1 where silent.
        """
        self._movers = tuple(tuple(own) for own in terms_of_moves)
        self._terms_of_moves = tuple(terms_of_moves)
        self.terms = {
            player: tuple(dict.fromkeys(t for own in terms_of_moves for t in own.get(player, ())))
            for player in self.players
        }
        self._loss_weights = weights
        self._several = len(self.players) > 1
        logged = ["loss"]
        for player, own in self.terms.items():
            logged += [f"{player}/loss"] if self._several else []
            logged += [f"{player}/{term}" for term in own]
        self._terms = terms.Terms(logged)

    def described_moves(self):
        """For each move, ``(move, {player: {term: weight}})``, in order."""
        for move, own in zip(self._moves, self._terms_of_moves, strict=True):
            weights = {p: self._loss_weights.get(p, {}) for p in own}
            yield move, {p: {t: weights[p].get(t, 1.0) for t in names} for p, names in own.items()}

    def compile(
        self,
        optimizers,
        *,
        ema: float | None = None,
        skip_nonfinite: bool = False,
        run_eagerly: bool = False,
        jit_compile: bool | str = "auto",
        steps_per_execution: int = 1,
    ):
        """Give every player its optimizer.

        Args:
            optimizers: ``{player: Keras optimizer or its name}``.
            ema: momentum in [0, 1) of a moving average of all weights, or None. Swap it
                in with ``keras.callbacks.SwapEMAWeights``; when ``fit`` ends, the
                averages are the weights, as with ``use_ema`` in Keras.
            skip_nonfinite: leave out a move, and what it says of the step, of which a term or
                gradient is not finite. The logs then count such steps as ``skipped``.
            run_eagerly, jit_compile, steps_per_execution: as in ``keras.Model.compile``.

        Raises:
            ZooError: a player without an optimizer, or one that does not exist.
        """
        groups = self.player_variables()
        scaled = any(
            layer.dtype_policy.name == "mixed_float16"
            for layer in self._flatten_layers(recursive=True)
        )
        ready = prepared(optimizers, groups, scaled=scaled, where=self.where)
        for optimizer in ready.values():
            backend.prepare(optimizer)
        players = Players(ready, groups, ema=ema)
        self._skip_nonfinite = self._terms.counts_skipped = skip_nonfinite
        super().compile(
            optimizer=players,
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

    def _flatten_metrics_in_order(self, logs):
        return [logs[name] for name in self.metrics_names]  # the loss first, as in Keras

    def reset_metrics(self):
        super().reset_metrics()
        if self.compiled:
            # for schedules in evaluation, to which Keras hands no optimizer on JAX
            self._terms.step.assign(ops.copy(self.optimizer.iterations))

    # --- saving whole, as keras.saving does

    def get_config(self):
        return saving.config_of(self)

    @classmethod
    def from_config(cls, config):
        return saving.rebuilt(config)

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

    # --- training and evaluation; the backend's Trainer calls these

    def make_moves(self, data):
        """One step: every move in order, each repeat on examples of its own."""
        x, labels = self._prepare(data)
        step = ops.cast(self.optimizer._iterations, "int32")
        rng = self._rng("train", step)
        variables = self.player_variables()
        logs = _Sums()
        for i, move in enumerate(self._moves):
            for k in range(move.repeat):
                self._make(i, move, self._share(x, labels, k), rng, step, variables, logs)
        self.optimizer.end_step()
        return self._track(logs, ops.shape(x)[0])

    def _make(self, i: int, move: Move, batch: Batch, rng, step, variables, logs):
        optimizers = self.optimizer.by_player

        def forward():
            values = self._terms_of(move, batch, rng, variables, training=True)
            scalars = terms.means(values)
            totals = self._totals(scalars, step)
            scaled = {p: optimizers[p].scale_loss(total) for p, total in totals.items()}
            return scaled, (values, scalars, totals)

        groups = {player: variables[player] for player in self._movers[i]}
        (values, scalars, totals), grads, assigned = backend.gradients(forward, groups)
        sits = move.when(step, scalars) if move.when else {}
        if self._skip_nonfinite:
            fine = terms.finite([scalars, totals, grads])
            sits = {p: ops.logical_and(fine, sits.get(p, True)) for p in grads}
            assigned = {
                id(v): ops.where(fine, assigned[id(v)], v.value)
                for v in self.non_trainable_variables
                if id(v) in assigned
            }
            logs.fine = ops.logical_and(logs.fine, fine)
        self._keep_statistics(i, move, assigned)
        for player, own in grads.items():
            backend.apply(optimizers[player], own, groups[player], sits.get(player))
        logs.add(i, values, totals, batch.x)

    def _keep_statistics(self, i, move, assigned):
        """Carry out what the forward pass assigned in the networks that the move updates."""
        names = move.updates
        if names is None:
            names = {name for player in self._movers[i] for name in self.players[player]}
        for name in names:
            for variable in self.networks[name].non_trainable_variables:
                if id(variable) in assigned:
                    variable.assign(ops.stop_gradient(assigned[id(variable)]))

    def evaluate_moves(self, data):
        """The terms of every move once, in inference mode, with noise of its own."""
        x, labels = self._prepare(data)
        # by row, not by batch: the result does not depend on the batch size
        rng = self._rng("evaluate", 0, first_row=self._terms.rows)
        variables = self.player_variables()
        logs = _Sums()
        for i, move in enumerate(self._moves):
            values = self._terms_of(move, Batch(x, labels), rng, variables, training=False)
            logs.add(i, values, self._totals(terms.means(values), self._terms.step), x)
        return self._track(logs, ops.shape(x)[0])

    def _terms_of(self, move, batch, rng, variables, training):
        nets = Nets(self.networks, training, self.where)
        with random.scope(rng):
            values = dict(move.loss(nets, batch, rng))
        for player in values:
            penalties = [
                variable.regularizer(variable)
                for variable in variables[player]
                if variable.regularizer is not None
            ]
            # the term stays, at 0, where what had penalties has been frozen since
            if penalties or terms.REGULARIZATION in self.terms.get(player, ()):
                values[player] = {**values[player], terms.REGULARIZATION: sum(penalties)}
        return values

    def _totals(self, scalars, step):
        totals = {}
        for player, own in scalars.items():
            weights = self._loss_weights.get(player, {})
            weighted = []
            for term, value in own.items():
                weight = weights.get(term, 1.0)
                weighted.append(value * (weight(step) if callable(weight) else weight))
            totals[player] = sum(weighted)
        return totals

    def _prepare(self, data):
        x, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
        if weights is not None:
            raise ZooError(f"{self.where} takes no sample_weight or class_weight")
        x = ops.convert_to_tensor(x)
        self._check_shape(x)
        if labels is not None:
            labels = ops.cast(ops.convert_to_tensor(labels), "int32")
        return self.scaled(x), labels

    def scaled(self, x):
        """Float32; uint8 pictures are scaled to the model's ``value_range``, if it has one."""
        if self._range and keras.backend.standardize_dtype(x.dtype) == "uint8":
            low, high = self._range
            return ops.cast(x, "float32") * ((high - low) / 255.0) + low
        return ops.cast(x, "float32")

    def _check_shape(self, x):
        found = tuple(x.shape[1:])
        if None not in found and found != self.data.shape:
            raise ZooError(
                f"{self.where} was built for examples of shape {self.data.shape}; "
                f"these have {found}"
            )

    @property
    def _range(self) -> tuple[float, float] | None:
        """The range of pictures in a loss, which are in [0, 1] outside of it; else None."""
        return self.plugin.value_range if self.data.is_image else None

    def _share(self, x, labels, k):
        """Repeat k's part: by stride, so that each is a like mix of the whole batch."""
        if self.repeats == 1:
            return Batch(x, labels)
        # in a batch of fewer examples than repeats, the last repeats share the last one
        rows = ops.shape(x)[0]
        start = min(k, rows - 1) if isinstance(rows, int) else ops.minimum(k, rows - 1)
        share = slice(start, None, self.repeats)
        return Batch(x[share], None if labels is None else labels[share])

    def _rng(self, purpose, step, first_row=0):
        return random.Generator(self.seed, purpose, step, first_row, backend.draws_on_host)

    def _track(self, logs, rows):
        totals, counts = logs.stacked(self.terms, self._several, rows)
        if self._skip_nonfinite:
            totals, counts = (ops.where(logs.fine, n, ops.zeros_like(n)) for n in (totals, counts))
        self._terms.update_state(totals, counts, rows, logs.fine)
        return self.get_metrics_result()


class _Sums:
    """Sums over examples of terms and totals, on the way to ``Terms``.

    Attributes:
        fine: whether all moves of the step were made, as far as that is asked.
    """

    def __init__(self):
        self.fine: Any = True
        self._terms: dict[str, tuple] = {}
        self._totals: dict[str, dict[int, tuple]] = {}

    def add(self, move: int, values, totals, x):
        rows = ops.cast(ops.shape(x)[0], "float32")
        for player, own in values.items():
            for term, value in own.items():
                value = ops.cast(ops.convert_to_tensor(value), "float32")
                total = ops.sum(value) if len(value.shape) else value * rows
                _add(self._terms, f"{player}/{term}", total, rows)
            _add(self._totals.setdefault(player, {}), move, totals[player] * rows, rows)

    def stacked(self, names, several, rows):
        """Two vectors in the order of the logs: loss, then each player's loss and terms."""
        rows = ops.cast(rows, "float32")
        losses = {
            player: sum(total / count for total, count in self._totals[player].values())
            for player in names
        }
        pairs = [(sum(losses.values()) * rows, rows)]
        for player, own in names.items():
            pairs += [(losses[player] * rows, rows)] if several else []
            pairs += [self._terms[f"{player}/{term}"] for term in own]
        totals, counts = zip(*pairs, strict=True)
        return ops.stack(totals), ops.stack(counts)


def _add(sums, key, total, count):
    before = sums.get(key)
    sums[key] = (total, count) if before is None else (before[0] + total, before[1] + count)
