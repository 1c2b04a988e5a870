"""The processes of one training on this machine: started, watched, and started again.

Each trains as a child of this process, which computes nothing. The first one writes the run and
talks to people. Where one dies or stops answering the others cannot go on: they are ended, and if
there are restarts left, all begin anew from the last checkpoint.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from zoo.errors import Lost, RunFailed, shortened
from zoo.runtime import leash, ranks
from zoo.runtime.console import counted, printable, say
from zoo.training.signals import Interruption

POLL = 0.05  # seconds
SILENCE = 20.0
"""Seconds without a sign of life after which a process has stopped."""
GRACE = 15.0
"""Seconds that the others have to end by themselves after one was lost: the first one keeps what it
has of the training."""
_SAID = (0, 1, 2, 130, 143)  # exit statuses of a command that has ended in order


@dataclass
class Worker:
    """One process, and what it has written to stderr."""

    number: int
    child: subprocess.Popen
    errors: IO | None
    seen: float = 0.0  # the time of its last sign of life, by its file
    silent: float = 0.0  # seconds since that changed

    def told(self) -> str:
        """The last thing that it said, in one line."""
        if self.errors is None:
            return ""
        self.errors.seek(0)
        lines = self.errors.read().decode("utf-8", "replace").strip().splitlines()
        return printable(shortened(lines[-1], 300)) if lines else ""


@dataclass
class Crew:
    """The processes of one training.

    Args:
        begin: the command that begins, with its arguments.
        go_on: the command that goes on with a run, of the run's folder.
        of: how many processes.
        device: the option of each, by its number.
        restarts: how often all are started again after one was lost.
    """

    begin: Sequence[str]
    go_on: Callable[[str], Sequence[str]]
    of: int
    device: Callable[[int], Sequence[str]]
    restarts: int = 0
    _workers: list[Worker] = field(default_factory=list)
    _lost: str = ""

    def train(self) -> int:
        """Train to the end, and return the exit status of the first process.

        Raises:
            RunFailed: a process was lost, and no restart is left.
        """
        run, left = "", self.restarts
        while True:
            meeting = Path(tempfile.mkdtemp(prefix="zoo-"))
            try:
                with Interruption(lambda line: None) as interruption:
                    self._start(self.go_on(run) if run else self.begin, meeting)
                    status = self._watch(meeting, interruption)
                with contextlib.suppress(OSError):
                    run = (meeting / "run").read_text(encoding="utf-8")
            finally:
                self._kill()
                shutil.rmtree(meeting, ignore_errors=True)
            if status is not None:
                return status
            if not left:
                again = f" To continue: zoo resume {Path(run).name} --devices {self.of}"
                raise RunFailed(f"{self._lost}.{again if run else ''}")
            left -= 1
            place = "its last checkpoint" if run else "the beginning"
            say(f"{self._lost}. All start again from {place}; {counted(left, 'restart')} left")

    def _start(self, command: Sequence[str], meeting: Path) -> None:
        cores = str(max(1, (os.cpu_count() or 1) // self.of))
        threads = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
        share = {name: cores for name in threads if name not in os.environ}
        self._workers, self._lost = [], ""
        for number in range(self.of):
            errors = None if number == 0 else tempfile.TemporaryFile()  # noqa: SIM115
            child = leash.start(
                [*command, *self.device(number)],
                errors,
                environment=share | ranks.environment(number, self.of, meeting),
                shown=number == 0,
            )
            self._workers.append(Worker(number, child, errors))

    def _watch(self, meeting: Path, interruption: Interruption) -> int | None:
        """Wait for the end: the exit status of the first process, or None where one was lost."""
        passed_on, until, before = False, float("inf"), time.monotonic()
        ended: list[Worker] = []  # in order
        while len(ended) < self.of and before < until:
            time.sleep(POLL)
            now = time.monotonic()
            if interruption.asked and not passed_on:  # the first tells the others
                self._workers[0].child.send_signal(interruption.number or signal.SIGTERM)
                passed_on = True
            self._listen(meeting, now - before)
            before = now
            new = [w for w in self._workers if w not in ended and w.child.poll() is not None]
            ended += new
            # one that has ended in order has nothing to wait for, and the first may be writing
            if any(w.number == 0 or w.child.returncode not in _SAID for w in new):
                until = min(until, now + GRACE)
            if self._lost:
                until = min(until, now)
        first = self._workers[0].child.returncode
        killed = [w for w in ended if w.child.returncode < 0]
        if first in _SAID and not self._lost and (ended[0].number == 0 or not killed):
            return first
        self._lost = self._lost or self._blamed(killed or ended)
        return None

    def _listen(self, meeting: Path, passed: float) -> None:
        """Note who has given no sign of life for long."""
        for worker in self._workers:
            try:
                seen = ranks.sign(meeting, worker.number).stat().st_mtime
            except FileNotFoundError:  # it has not come so far
                continue
            # of a machine that slept, all were silent
            worker.silent = 0.0 if seen != worker.seen else worker.silent + min(passed, 1.0)
            worker.seen = seen
            if worker.silent > SILENCE and worker.child.poll() is None:
                self._lost = f"{self._named(worker)} has given no sign of life for {SILENCE:g} s"

    def _named(self, worker: Worker) -> str:
        device = " ".join(self.device(worker.number)).removeprefix("--device ") or "its device"
        where = f"{device} of {platform.node() or 'this machine'}, pid {worker.child.pid}"
        return f"rank {worker.number} of {self.of} ({where})"

    def _blamed(self, ended: Sequence[Worker]) -> str:
        """Which of the processes that have ended was lost, as far as can be told, and how."""
        worker = next((w for w in ended if w.child.returncode != Lost.exit_code), ended[0])
        status = worker.child.returncode
        if status < 0:
            return f"{self._named(worker)} was ended by {signal.Signals(-status).name}"
        told = worker.told()
        return f"{self._named(worker)} ended with status {status}{': ' + told if told else ''}"

    def _kill(self) -> None:
        for worker in self._workers:
            leash.kill(worker.child)
        for worker in self._workers:
            worker.child.wait()
            if worker.errors is not None:
                worker.errors.close()
