"""Carries out the runs of a sweep, as many at a time as there is room for."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Protocol

from zoo.runtime import leash
from zoo.training.attempts import POLL, Cell
from zoo.training.signals import Interruption

PATIENCE = leash.PATIENCE + 5
"""Seconds that runs have to end after ``Place.stop``."""


class Place(Protocol):
    """Where runs are trained; it holds as many at a time as it has room for."""

    def has_room(self) -> bool:
        """Whether one more may begin."""

    def begin(self, cell: Cell) -> None:
        """Begin with a run."""

    def ended(self) -> Iterable[tuple[Cell, str]]:
        """The runs that have ended since, each with why it did not finish, or ``""``."""

    def stop(self) -> None:
        """Ask all runs to end with a checkpoint; ``ended`` says when they have."""

    def close(self) -> None:
        """End what is left at once."""


class Watcher(Protocol):
    """Who is told how the sweep goes."""

    def began(self, cell: Cell) -> None:
        """A run has begun, or waits for room."""

    def ended(self, cell: Cell, outcome: str) -> None:
        """A run has ended; the outcome says why it did not finish, or is empty."""

    def tick(self) -> None:
        """Some time has passed."""


def carry_out(
    cells: Sequence[Cell], place: Place, watcher: Watcher, interruption: Interruption
) -> dict[Cell, str]:
    """Train all runs; one that fails is passed over.

    Args:
        cells: the runs, in the order in which they begin.
        place: where they are trained; closed at the end.
        watcher: is told how it goes.
        interruption: entered; where it was asked, the runs are ended with a checkpoint.

    Returns:
        Why each run did not finish; empty for one that did. After an interruption, those that
        never began are not among them.
    """
    waiting, running = deque(cells), set[Cell]()
    outcomes: dict[Cell, str] = {}
    until = float("inf")
    try:
        while (waiting or running) and time.monotonic() < until:
            if interruption.asked and until == float("inf"):
                until = time.monotonic() + PATIENCE
                waiting.clear()
                place.stop()
            while waiting and place.has_room():
                cell = waiting.popleft()
                place.begin(cell)
                running.add(cell)
                watcher.began(cell)
            for cell, outcome in place.ended():
                running.discard(cell)
                outcomes[cell] = outcome
                watcher.ended(cell, outcome)
            watcher.tick()
            time.sleep(POLL)
    finally:
        place.close()
    return {**outcomes, **dict.fromkeys(running, leash.STOPPED)}
