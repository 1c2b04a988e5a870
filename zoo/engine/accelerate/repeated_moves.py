"""A move that a step repeats, compiled once: the repeats are a loop within the step's program.

On JAX alone: TensorFlow would compile sooner too, and then make each step more slowly.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from zoo.plugin.model import Batch, Move
from zoo.random import Generator
from zoo.runtime.keras_compat import pure


def suits(model, move: Move, batch: Batch, rng: Generator) -> bool:
    """Whether a step is compiled, all repeats have equally many rows, and one process has them."""
    if move.repeat == 1 or model.run_eagerly or not model.jit_compile or rng.share:
        return False
    sizes = {tensor.shape[0] for tensor in _tensors(batch).values()}
    return sizes != {None} and len(sizes) == 1 and sizes.pop() % model.repeats == 0


def made(model, i: int, move: Move, batch: Batch, rng: Generator, step) -> tuple:
    """Make all repeats of move ``i``, with the draws of ``rng`` that each had without a loop.

    Returns:
        What ``TrainingStep`` knows of one: its sums and rows, added up, and whether all were made.
    """
    dealt = _apart(batch, model.repeats)
    variables = _variables(model)
    used: list[Any] = [(0, 0), 0]  # draws and rows of one repeat

    def once(k, carried):
        values, place, sums, fine = carried
        own = rng._after(*place)
        part = {name: tensor[:, k] for name, tensor in dealt.items()}
        labels = part.pop("labels", None)

        def make():
            return model._make(i, move, Batch.of(part, labels), own, step)

        pairs = zip(variables, values, strict=True)
        (more, rows, here), assigned = pure(make, pairs)
        used[:] = own.place, rows
        place = [before + calls for before, calls in zip(place, own.place, strict=True)]
        values = [assigned.get(id(v), old) for v, old in zip(variables, values, strict=True)]
        return values, place, sums + more, ops.logical_and(fine, here)

    begun = [ops.convert_to_tensor(0, "int32") for _ in rng.place]
    sums = ops.zeros((len(model._logged.names),), "float32")
    first = [v.value for v in variables], begun, sums, ops.convert_to_tensor(True)
    values, _, sums, fine = ops.fori_loop(0, move.repeat, once, first)
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    place, rows = used
    rng.place = tuple(a + move.repeat * b for a, b in zip(rng.place, place, strict=True))
    return sums, rows * move.repeat, fine


def _apart(batch: Batch, repeats: int) -> dict[str, Any]:
    """The tensors with the rows of repeat k in ``[:, k]``, by stride as without a loop."""
    return {
        name: ops.reshape(tensor, (-1, repeats, *tensor.shape[1:]))
        for name, tensor in _tensors(batch).items()
    }


def _tensors(batch: Batch) -> dict[str, Any]:
    labels = {} if batch.labels is None else {"labels": batch.labels}
    return {**(batch.sources or {"x": batch.x}), **labels}


def _variables(model) -> list:
    return [
        *model.trainable_variables,
        *model.non_trainable_variables,
        *model.optimizer.variables,
    ]
