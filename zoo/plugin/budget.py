"""How many weights networks may have: told by an estimate, before memory is taken for them."""

from __future__ import annotations

import contextlib
import contextvars
import math
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import keras

from zoo.errors import ZooError
from zoo.plugin.limits import MOST_WEIGHTS
from zoo.runtime import memory

_BYTES = 8  # of a weight and its gradient, in float32
_AT_ONCE = 1 << 27  # weights, half a gigabyte, for which no estimate is made
_COUNTED = 1 << 200

_Made = TypeVar("_Made")


@dataclass
class Budget:
    """What may still be made.

    Attributes:
        numbers: in weights.
        arrays: of weights.
        refused: makes the error for what is beyond.
    """

    numbers: int
    arrays: int
    refused: Callable[[], ZooError]


_of_file: contextvars.ContextVar[Budget | None] = contextvars.ContextVar("_of_file", default=None)


@contextlib.contextmanager
def of_file(budget: Budget) -> Iterator[None]:
    """Hold all networks that are built within to what a file has weights for."""
    token = _of_file.set(budget)
    try:
        yield
    finally:
        _of_file.reset(token)


def built(make: Callable[[], _Made], what: str) -> _Made:
    """Networks, held to what a file has, or else to what this machine has memory for.

    Where they are large they are made twice: first without memory, to count their weights.

    Args:
        make: makes them.
        what: whose they are, for messages.

    Raises:
        ZooError: they are too large; the message has the estimate.
    """
    known = _of_file.get()
    if known is not None:
        with _held_to(known):
            return make()
    state = random.getstate()  # Keras draws seeds of initializers from it
    budget, counted = (Budget(n, MOST_WEIGHTS, _Large) for n in (_AT_ONCE, _COUNTED))
    try:
        with _held_to(budget):
            return make()
    except _Large:
        random.setstate(state)
    # In a thread of its own Keras keeps nothing of it: no names, no variables without a value.
    if budget.arrays >= 0:
        thread = threading.Thread(target=_count, args=(make, counted))
        thread.start()
        thread.join()
    if min(budget.arrays, counted.arrays) < 0:
        raise ZooError(
            f"{what}: its networks have more than {MOST_WEIGHTS:,} arrays of weights: take fewer "
            "layers"
        )
    numbers = _COUNTED - counted.numbers
    memory.refuse_beyond(
        numbers * _BYTES,
        f"{what}: networks of {numbers:,} weights, with their gradients,",
        "take smaller settings of the model",
    )
    random.setstate(state)
    return make()


def _count(make: Callable[[], Any], budget: Budget) -> None:
    """Take from a budget what networks have, without memory for it."""
    scope = keras.StatelessScope(initialize_variables=False)
    # What needs values of weights fails here, and is judged when it is made.
    with contextlib.suppress(Exception), _held_to(budget), scope:
        make()


class _Large(ZooError):
    """Networks have so many weights that they are counted first."""


@contextlib.contextmanager
def _held_to(budget: Budget) -> Iterator[None]:
    original: Any = keras.layers.Layer.add_weight

    def add_weight(self, shape=None, *args, **kwargs):
        sizes = (shape,) if isinstance(shape, int) else tuple(shape or ())
        budget.numbers -= math.prod(sizes)
        budget.arrays -= 1
        if budget.numbers < 0 or budget.arrays < 0:
            raise budget.refused()
        return original(self, shape, *args, **kwargs)

    keras.layers.Layer.add_weight = add_weight
    try:
        yield
    finally:
        keras.layers.Layer.add_weight = original
