"""The terms of the players' losses: checked, averaged, weighted, tracked."""

from __future__ import annotations

from numbers import Number

import keras
from keras import ops

from zoo.errors import ZooError, unknown
from zoo.plugin.declared import REGULARIZATION
from zoo.runtime.backends import BACKENDS


def checked(returned, players, rows: int, where: str) -> dict[str, dict]:
    """What a loss returned, refused with a reason unless it is ``{player: {term: value}}``."""
    accepted = "a loss returns {player: {term: value}}"
    if not isinstance(returned, dict):
        raise ZooError(f"{where} returned {type(returned).__name__}; {accepted}")
    if not returned:
        raise ZooError(f"{where} returned no terms; {accepted}")
    for player, terms in returned.items():
        if player not in players:
            raise unknown("player", player, players, where=where)
        if not isinstance(terms, dict) or not terms:
            raise ZooError(
                f"{where} returned {type(terms).__name__} for player {player!r}; {accepted}"
            )
        for term, value in terms.items():
            check_backend(value, f"{where}: term {term!r} of {player!r}")
            if term in (REGULARIZATION, "loss"):
                raise ZooError(f"{where}: {term!r} of {player!r} is the zoo's; name the term apart")
            shape = () if isinstance(value, Number) else getattr(value, "shape", None)
            if shape is None or tuple(shape) not in ((), (rows,)):
                came = type(value).__name__ if shape is None else f"shape {tuple(shape)}"
                raise ZooError(
                    f"{where}: term {term!r} of {player!r} is a scalar or one value an "
                    f"example, shape (n,); for n = {rows} it came as {came}"
                )
    return returned


def check_backend(value, what: str) -> None:
    """Refuse a tensor of a backend that is not this process's; it would have no gradient."""
    origin, here = type(value).__module__.partition(".")[0], keras.backend.backend()
    origin = origin.removesuffix("lib")
    if origin in BACKENDS and origin != here:
        raise ZooError(
            f"{what} came as a tensor of {origin}, and this is {here}: "
            "make it with keras.ops, which works on every backend"
        )


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
    """

    counts_skipped = False

    def __init__(self, names):
        super().__init__(name="terms", dtype="float32")
        self.names = tuple(names)
        shape = (len(self.names),)
        self.total = self.add_variable(shape, initializer="zeros", dtype="float32", name="total")
        self.count = self.add_variable(shape, initializer="zeros", dtype="float32", name="count")
        self.rows = self.add_variable((), initializer="zeros", dtype="int32", name="rows")
        self.step = self.add_variable((), initializer="zeros", dtype="int32", name="step")
        self.skipped = self.add_variable((), initializer="zeros", dtype="int32", name="skipped")

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

    def result(self):
        values = ops.divide_no_nan(self.total, self.count)
        results = {name: values[i] for i, name in enumerate(self.names)}
        # cast to a tensor of its own: the next reset would change the variable's
        skipped = {"skipped": ops.cast(self.skipped, "float32")}
        return results | (skipped if self.counts_skipped else {})

    def save_own_variables(self, store):
        pass  # a running mean is no part of a model

    def load_own_variables(self, store):
        pass
