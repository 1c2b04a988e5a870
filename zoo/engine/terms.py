"""The terms of the players' losses: averaged, summed, tracked."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops


def means(terms):
    """``{player: {term: scalar}}``, each the float32 mean over the examples."""
    return {
        player: {term: ops.mean(_float(value)) for term, value in values.items()}
        for player, values in terms.items()
    }


def finite(tensors):
    """Whether all numbers of a structure of tensors are finite, a boolean scalar."""
    flags = [ops.all(ops.isfinite(tensor)) for tensor in keras.tree.flatten(tensors)]
    return ops.all(ops.stack(flags))


def _float(value):
    return ops.cast(ops.convert_to_tensor(value), "float32")


class Logged:
    """What the logs have, in order: the loss, and each player's loss and terms.

    Args:
        moves: for each move, ``{player: names of terms}``.
        players: their names, in order.

    Attributes:
        terms: ``{player: names of its terms}``, of all moves.
        names: of the values.
    """

    def __init__(self, moves, players):
        self.terms = {
            player: tuple(dict.fromkeys(term for own in moves for term in own.get(player, ())))
            for player in players
        }
        self.names = ["loss"]
        for player, own in self.terms.items():
            self.names += [f"{player}/loss"] if len(self.terms) > 1 else []
            self.names += [f"{player}/{term}" for term in own]
        has = [{f"{player}/{term}" for player, own in m.items() for term in own} for m in moves]
        self.are_terms = [np.array([name in own for name in self.names], "f4") for own in has]
        self.are_losses = 1 - np.max(self.are_terms, axis=0)

    def sums(self, values, totals, rows):
        """Sums over the examples of a move, float32 ``(names,)``; 0 for what it does not have.

        Args:
            values: ``{player: {term: scalar or one value per example}}``.
            totals: ``{player: weighted mean over the examples}``.
            rows: the number of examples.
        """
        rows = ops.cast(rows, "float32")
        found = {"loss": sum(totals.values()) * rows}
        for player, own in values.items():
            found[f"{player}/loss"] = totals[player] * rows
            for term, value in own.items():
                value = _float(value)
                found[f"{player}/{term}"] = ops.sum(value) if len(value.shape) else value * rows
        return ops.stack([found.get(name, ops.zeros(())) for name in self.names])


class Sums:
    """Sums over the examples of a step, move by move.

    Args:
        logged: what is summed.
        shared: whether a move is made on a part of the batch.

    Attributes:
        fine: whether all moves of the step were made, as far as that is asked.
    """

    def __init__(self, logged: Logged, shared: bool = False):
        self.fine: Any = True
        self._logged, self._shared = logged, shared
        self._sums: dict[int, tuple] = {}

    def add(self, move: int, sums, rows, fine: Any = True) -> None:
        """Add what ``Logged.sums`` gave for a move, on so many rows, and whether it was made."""
        before = self._sums.get(move, (0, 0))
        self._sums[move] = before[0] + sums, before[1] + rows
        self.fine = ops.logical_and(self.fine, fine) if self.fine is not True else fine

    def result(self, rows):
        """Sums over a batch of so many rows, and how many examples are in each, ``(names,)``."""
        rows, losses = _float(rows), ops.convert_to_tensor(self._logged.are_losses)
        totals, counts = 0, losses * rows
        for terms, (sums, own) in zip(self._logged.are_terms, self._sums.values(), strict=True):
            if self._shared:  # a player's loss is a sum of means: it counts the batch once
                sums *= 1 + losses * (rows / _float(own) - 1)
            totals, counts = totals + sums, counts + ops.multiply(terms, _float(own))
        return totals, counts


class Terms(keras.metrics.Metric):
    """Running means of all terms, in two small vectors.

    A value an example counts once, so batches of different sizes average right.

    Args:
        names: what ``result()`` calls the values, in the order of ``update_state``.

    Attributes:
        rows: examples seen since the last reset.
        step: training steps made before the last reset.
        skipped: steps since the last reset of which a move was left out.
        counts_skipped: whether ``result()`` says so.
        first_row: what ``rows`` begins with.
    """

    counts_skipped = False
    first_row = 0

    def __init__(self, names):
        super().__init__(name="terms", dtype="float32")
        self.names = tuple(names)
        shape = (len(self.names),)
        self.total = self.add_variable(shape, initializer="zeros", dtype="float32", name="total")
        self.count = self.add_variable(shape, initializer="zeros", dtype="float32", name="count")
        self.rows = self.add_variable((), initializer="zeros", dtype="int32", name="rows")
        self.step = self.add_variable((), initializer="zeros", dtype="int32", name="step")
        self.skipped = self.add_variable((), initializer="zeros", dtype="int32", name="skipped")

    def reset_state(self):
        super().reset_state()
        self.rows.assign(self.first_row)

    def update_state(self, totals, counts, rows, fine=True):
        """Add sums over examples and their numbers, ``(terms,)`` each, and rows seen.

        Args:
            fine: a boolean, false for a step of which a move was left out.
        """
        self.total.assign(self.total + ops.stop_gradient(totals))
        self.count.assign(self.count + counts)
        self.rows.assign(self.rows + rows)
        if self.counts_skipped:
            self.skipped.assign(self.skipped + 1 - ops.cast(fine, "int32"))

    def values(self):
        """The means, float32 ``(names,)``."""
        return ops.divide_no_nan(self.total, self.count)

    def result(self):
        values = self.values()
        results = {name: values[i] for i, name in enumerate(self.names)}
        # cast to a tensor of its own: the next reset would change the variable's
        skipped = {"skipped": ops.cast(self.skipped, "float32")}
        return results | (skipped if self.counts_skipped else {})

    def save_own_variables(self, store):
        pass  # a running mean is no part of a model

    def load_own_variables(self, store):
        pass
