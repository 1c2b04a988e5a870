"""One training step: every move, each player."""

from __future__ import annotations

import keras
from keras import ops

from zoo import random
from zoo.engine import accelerate, terms
from zoo.engine.accelerate import repeated_moves
from zoo.engine.backends import backend
from zoo.engine.distributed.reduction import agreed
from zoo.engine.nets import Nets
from zoo.errors import ZooError
from zoo.plugin.declared import REGULARIZATION
from zoo.plugin.model import Batch, Move
from zoo.plugin.sources import named


class TrainingStep:
    """What one step of a ``GenerativeModel`` does; the backend's ``Trainer`` calls it."""

    def make_moves(self, data, share=None):
        """One step: every move in order, each repeat on rows of its own, or a ``share`` of them."""
        batch = self.batch_of(data)
        step = ops.cast(self.optimizer._iterations, "int32")
        rng = self._rng("train", step, share or 0)
        logs = terms.Sums(self._logged, shared=self.repeats > 1)
        for i, move in enumerate(self._moves):
            if accelerate.on("repeated_moves") and repeated_moves.suits(self, move, batch, rng):
                logs.add(i, *repeated_moves.made(self, i, move, batch, rng, step))
            else:
                for k in range(move.repeat):
                    logs.add(i, *self._make(i, move, self._share(batch, k), rng, step))
        self.optimizer.end_step()
        self._track(logs, share.of * self.repeats if share else batch.size)

    def _make(self, i: int, move: Move, batch: Batch, rng, step) -> tuple:
        """One repeat of a move: what ``Sums.add`` adds of it."""
        optimizers, variables = self.optimizer.by_player, self.optimizer.groups

        def forward(batch, rng, step):
            values = self._terms_of(move, batch, rng, variables, training=True)
            scalars = terms.means(values)
            totals = self._totals(scalars, step)
            scaled = {p: optimizers[p].scale_loss(total) for p, total in totals.items()}
            return scaled, (self._logged.sums(values, totals, batch.size), scalars, totals)

        groups = {player: variables[player] for player in self._movers[i]}
        given, rows = (batch, rng, step), batch.size
        found, grads, assigned = backend.gradients(forward, groups, given, self._kept[i])
        if rng.share:
            own, rows = (found, grads, assigned), rng.share.of
            found, grads, assigned = agreed(rng.share, *own, self.non_trainable_variables)
        sums, scalars, totals = found
        updates = move.when(step, scalars) if move.when else {}
        fine = True
        if self._skip_nonfinite:
            fine = terms.finite([scalars, totals, grads])
            updates = {p: ops.logical_and(fine, updates.get(p, True)) for p in grads}
            assigned = {
                id(v): ops.where(fine, assigned[id(v)], v.value)
                for v in self.non_trainable_variables
                if id(v) in assigned
            }
        self._keep_statistics(i, move, assigned)
        for player, own in grads.items():
            backend.apply(optimizers[player], own, groups[player], updates.get(player))
        return sums, rows, fine

    def _keep_statistics(self, i, move, assigned):
        """Carry out what the forward pass assigned in the networks that the move updates."""
        for name in self.updated(move, self._movers[i]):
            for variable in self.networks[name].non_trainable_variables:
                if id(variable) in assigned:
                    variable.assign(ops.stop_gradient(assigned[id(variable)]))

    def updated(self, move: Move, players) -> list[str]:
        """Names of the networks whose state a move of these players changes."""
        own = dict.fromkeys(name for player in players for name in self.players[player])
        return list(own if move.updates is None else move.updates)

    def evaluate_moves(self, data):
        """The terms of every move once, in inference mode, with noise of its own."""
        batch = self.batch_of(data)
        # by row, not by batch: the result does not depend on the batch size
        rng = self._rng("evaluate", 0, first_row=self._terms.rows)
        logs = terms.Sums(self._logged)
        for i, move in enumerate(self._moves):
            values = self._terms_of(move, batch, rng, self.player_variables(), training=False)
            totals = self._totals(terms.means(values), self._terms.step)
            logs.add(i, self._logged.sums(values, totals, batch.size), batch.size)
        self._track(logs, batch.size)

    def _terms_of(self, move, batch, rng, variables, training):
        nets = Nets(self.networks, training, self.where, self.data)
        with random.scope(rng), self.settled():
            values = dict(move.loss(nets, batch, rng))
        for player in values:
            penalties = [
                variable.regularizer(variable)
                for variable in variables[player]
                if variable.regularizer is not None
            ]
            # the term stays, at 0, where what had penalties has been frozen since
            if penalties or REGULARIZATION in self.terms.get(player, ()):
                values[player] = {**values[player], REGULARIZATION: sum(penalties)}
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

    def batch_of(self, data) -> Batch:
        """What ``fit`` hands over, as losses see it."""
        given, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
        if weights is not None:
            raise ZooError(f"{self.where} takes no sample_weight or class_weight")
        given, labels = named(given, labels, self.data, self.where)
        if labels is not None:
            labels = ops.convert_to_tensor(labels)
            if len(labels.shape) == 2:  # one column, or one-hot
                labels = labels[:, 0] if labels.shape[1] == 1 else ops.argmax(labels, axis=1)
            labels = ops.cast(labels, "int32")
        return Batch.of(
            {n: self._scaled(ops.convert_to_tensor(x), n) for n, x in given.items()}, labels
        )

    def _scaled(self, x, source):
        """Float32; uint8 pictures are scaled to the model's ``value_range``, if it has one."""
        self.border.check_shape(x, source)
        limits = self.plugin.value_range
        if limits and len(x.shape) == 4 and keras.backend.standardize_dtype(x.dtype) == "uint8":
            return ops.cast(x, "float32") * ((limits[1] - limits[0]) / 255.0) + limits[0]
        return ops.cast(x, "float32")

    @property
    def _range(self) -> tuple[float, float] | None:
        """The range of pictures in a loss, which are in [0, 1] outside of it; else None."""
        return self.plugin.value_range if self.data.is_image else None

    def _share(self, batch, k):
        """Repeat k's part: by stride, so that each is a like mix of the whole batch."""
        if self.repeats == 1:
            return batch
        # in a batch of fewer examples than repeats, the last repeats share the last one
        rows = ops.shape(batch.x)[0]
        start = min(k, rows - 1) if isinstance(rows, int) else ops.minimum(k, rows - 1)
        return batch.rows(slice(start, None, self.repeats))

    def _rng(self, purpose, step, first_row=0):
        return random.Generator(self.seed, purpose, step, first_row, backend.draws_on_host)

    def _track(self, logs, rows):
        totals, counts = logs.result(rows)
        if self._skip_nonfinite:
            totals, counts = (ops.where(logs.fine, n, ops.zeros_like(n)) for n in (totals, counts))
        self._terms.update_state(totals, counts, rows, logs.fine)
