"""The processes of one training: started, watched, and started again.

They compute, and this process does not. The first one writes the run and talks to people. Where one
dies or stops answering the others cannot go on: they are ended, and if there are restarts left, all
begin anew from the last checkpoint.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zoo.errors import Lost, RunFailed
from zoo.runs import locks
from zoo.runtime.console import counted, say
from zoo.training.signals import Interruption
from zoo.training.workers import Look, Place, Worker

POLL = 0.05  # seconds
SILENCE = 20.0
"""Seconds without a sign of life after which a process has stopped."""
GRACE = 15.0
"""Seconds that the others have to end by themselves after one was lost: the first one keeps what it
has of the training."""
_SAID = (0, 1, 2, 130, 143)  # exit statuses of a command that has ended in order


@dataclass
class _Watched:
    """A process, and what was seen of it."""

    number: int
    worker: Worker
    last: Look = Look(None, 0.0, "")
    silent: float = 0.0  # seconds since its last sign of life

    def look(self, passed: float) -> None:
        """Look at it, so many seconds after the last time."""
        now = self.worker.look()
        # of a machine that slept, all were silent; before the first sign none is expected
        fresh = now.seen != self.last.seen or not now.seen
        self.silent = 0.0 if fresh else self.silent + min(passed, 1.0)
        self.last = now


@dataclass
class Crew:
    """The processes of one training.

    Args:
        begin: the command that begins, with its arguments.
        go_on: the command that goes on with a run, of the run's folder.
        again: what a person types to go on with a run, of its name.
        of: how many processes.
        place: where they are.
        restarts: how often all are started again after one was lost.
    """

    begin: Sequence[str]
    go_on: Callable[[str], Sequence[str]]
    again: Callable[[str], str]
    of: int
    place: Place
    restarts: int = 0
    _workers: list[_Watched] = field(default_factory=list)
    _lost: str = ""

    def train(self) -> int:
        """Train to the end, and return the exit status of the first process.

        Raises:
            RunFailed: a process was lost, and no restart is left.
        """
        run, left = "", self.restarts
        while True:
            self._workers, self._lost = [], ""
            try:
                with Interruption(lambda line: None) as interruption:
                    started = self.place.start(self.go_on(run) if run else self.begin, self.of)
                    self._workers = [_Watched(n, worker) for n, worker in enumerate(started)]
                    status = self._watch(interruption)
                run = self._workers[0].last.run or run
            finally:
                for watched in self._workers:
                    watched.worker.kill()
                self.place.clear()
            if status is not None:
                return status
            if not left:
                again = f" To continue: {self.again(Path(run).name)}" if run else ""
                raise RunFailed(f"{self._lost}.{again}")
            left -= 1
            place = "its last checkpoint" if run else "the beginning"
            say(f"{self._lost}. All start again from {place}; {counted(left, 'restart')} left")
            _until_free(run)

    def _watch(self, interruption: Interruption) -> int | None:
        """Wait for the end: the exit status of the first process, or None where one was lost."""
        passed_on, until, before = False, float("inf"), time.monotonic()
        ended: list[_Watched] = []  # in order
        while len(ended) < self.of and before < until:
            time.sleep(POLL)
            now = time.monotonic()
            if interruption.asked and not passed_on:  # the first tells the others
                self._workers[0].worker.signal(interruption.number or signal.SIGTERM)
                passed_on = True
            for watched in self._workers:
                watched.look(now - before)
                if watched.silent > SILENCE and watched.last.status is None:
                    self._lost = f"{self._named(watched)} has given no sign of life for "
                    self._lost += f"{SILENCE:g} s"
                    until = min(until, now)
            before = now
            new = [w for w in self._workers if w not in ended and w.last.status is not None]
            ended += new
            # one that has ended in order has nothing to wait for, and the first may be writing
            if any(w.number == 0 or w.last.status not in _SAID for w in new):
                until = min(until, now + GRACE)
        first = self._workers[0].last.status
        killed = [w for w in ended if (w.last.status or 0) < 0]
        if first in _SAID and not self._lost and (ended[0].number == 0 or not killed):
            return first
        self._lost = self._lost or self._blamed(killed or ended)
        return None

    def _named(self, watched: _Watched) -> str:
        return f"rank {watched.number} of {self.of} ({watched.worker.name})"

    def _blamed(self, ended: Sequence[_Watched]) -> str:
        """Which of the processes that have ended was lost, as far as can be told, and how."""
        watched = next((w for w in ended if w.last.status != Lost.exit_code), ended[0])
        status = watched.last.status or 0
        if status < 0:
            return f"{self._named(watched)} was ended by {signal.Signals(-status).name}"
        told = watched.worker.told()
        return f"{self._named(watched)} ended with status {status}{': ' + told if told else ''}"


def _until_free(run: str) -> None:
    """Wait until nobody trains a run: on another machine a process may outlive who watched it."""
    until = time.monotonic() + GRACE
    while run and locks.is_held(Path(run)) and time.monotonic() < until:
        time.sleep(POLL)
