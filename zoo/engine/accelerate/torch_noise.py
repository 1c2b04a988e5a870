"""The noise of a step, written down once so that it can be drawn before the step.

On a CPU noise is drawn by NumPy, which no graph of PyTorch's operations can hold: it becomes an
input of the graph.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from zoo.errors import ZooError
from zoo.random import Generator

Way = tuple[tuple, ...]
"""From a step's generator to another: each ``at`` or ``fork``, the place, and the index."""


class Draw(NamedTuple):
    """A draw: the way to its generator, the place there, and what is drawn."""

    way: Way
    place: tuple[int, int]
    shared: bool
    kind: str
    shape: tuple[int, ...]
    args: tuple


class Planned(Generator):
    """A generator that writes down its draws, or gives tensors in their place.

    Args:
        own: the generator that draws.
        plan: the draws, written here as they are made.
        given: ``(draw, tensor)`` in order, to return in place of drawing.
    """

    def __init__(
        self,
        own: Generator,
        plan: list[Draw],
        given: Iterator[tuple[Draw, Any]] | None = None,
        way: Way = (),
    ):
        vars(self).update(vars(own))
        self._plan, self._given, self._way = plan, given, way
        self._began, self._row = own.place, own._first_row

    @property
    def used(self) -> tuple[int, int]:
        """How far it has come, from where it began."""
        return self._calls - self._began[0], self._others - self._began[1]

    def at(self, i):
        return self._other("at", int(i))

    def fork(self):
        return self._other("fork")

    def _other(self, name, *index):
        way = (*self._way, (name, self.used, *index))
        if self._given is None:
            made = getattr(super(), name)(*index)
        else:  # nothing is drawn from it, so its key does not matter
            made = Generator.of_key(0, 0, self._first_row, True)
            self._others += name == "fork"
        return Planned(made, self._plan, self._given, way)

    def _drawn(self, kind, shape, *args):
        shared = self._first_row is not self._row
        draw = Draw(self._way, self.used, shared, kind, tuple(map(int, shape)), args)
        if self._given is None:
            self._plan.append(draw)
            return super()._drawn(kind, shape, *args)
        self._calls += 1
        planned, tensor = next(self._given, (None, None))
        if planned != draw:
            raise ZooError("the noise that it draws differs from step to step")
        return tensor


def drawn(plan: Sequence[Draw], rng: Generator) -> list:
    """What a generator, which stays where it is, gives for each draw of a plan."""
    made: dict[Way, tuple[Generator, tuple[int, int]]] = {(): (rng, rng.place)}
    tensors = []
    for draw in plan:
        for end in range(1, len(draw.way) + 1):
            if draw.way[:end] not in made:
                name, place, *index = draw.way[end - 1]
                source = _moved(*made[draw.way[: end - 1]], place)
                new = getattr(source, name)(*index)
                made[draw.way[:end]] = new, new.place
        own = _moved(*made[draw.way], draw.place)
        draws = own.shared if draw.shared else own
        tensors.append(draws._drawn(draw.kind, draw.shape, *draw.args))
    _moved(*made[()], (0, 0))
    return tensors


def _moved(rng: Generator, start: tuple[int, int], by: tuple[int, int]) -> Generator:
    rng.place = start[0] + by[0], start[1] + by[1]
    return rng
