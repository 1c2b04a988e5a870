"""Trains the runs of a sweep on this machine, several at a time."""

from __future__ import annotations

from collections.abc import Iterable

from zoo.training.attempts import Attempt, Cell, Sweep


class Here:
    """This machine.

    Args:
        sweep: the sweep.
        jobs: how many at a time.
        gpus: how many there are to share out; with several, each run has one of its own.
        inherited: descriptors that the children hold.
    """

    def __init__(self, sweep: Sweep, jobs: int, gpus: int, inherited: tuple[int, ...]):
        self._sweep, self._gpus, self._inherited = sweep, gpus, inherited
        self._free = list(range(jobs))
        self._attempts: dict[Cell, tuple[int, Attempt]] = {}

    def has_room(self) -> bool:
        return bool(self._free)

    def begin(self, cell: Cell) -> None:
        slot = self._free.pop(0)
        device = ("--device", f"gpu:{slot % self._gpus}") if self._gpus > 1 else ()
        self._attempts[cell] = slot, Attempt(self._sweep, cell, device, self._inherited)

    def ended(self) -> Iterable[tuple[Cell, str]]:
        for cell, (slot, attempt) in list(self._attempts.items()):
            outcome = attempt.outcome()
            if outcome is not None:
                del self._attempts[cell]
                self._free.append(slot)
                yield cell, outcome

    def stop(self) -> None:
        for _, attempt in self._attempts.values():
            attempt.loose()

    def close(self) -> None:
        for _, attempt in self._attempts.values():
            attempt.kill()
