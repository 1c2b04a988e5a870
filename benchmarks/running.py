"""Measuring processes, and the turns in which those that are compared train."""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.setting import Setting

LIMIT = 900  # seconds that an epoch may take, or a start and the first one

_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Job:
    """What one process measures.

    Attributes:
        case: a name in ``cases.CASES``.
        backend: its name.
        variant: one of ``cases.VARIANTS``.
        changes: of the case.
        environment: of the process.
        setting: device, precision and chunks; by default all is as it comes.
        deadline: on ``time.monotonic()``, when the process is ended if it is not over.
    """

    case: str
    backend: str
    variant: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    setting: Setting | None = None
    deadline: float = math.inf

    def __str__(self) -> str:
        setting = f", {self.setting}" if self.setting else ""
        return f"{self.case} on {self.backend}, {self.variant}{setting}"


class Child:
    """A measuring process, which waits for its turns. Where it is left, it is made to end.

    Args:
        job: what it measures.

    Attributes:
        failed: whether it ended before its time, of which a line on stderr tells.
        trained: seconds of training, without the first epoch's.
        turns: that it has had.
    """

    def __init__(self, job: Job):
        self._job = job
        self.failed = False
        self.trained, self.turns = 0.0, 0

    def __enter__(self):
        """Start it, and wait until its first epoch is over."""
        job, path = self._job, [str(_ROOT), os.environ.get("PYTHONPATH")]
        told = {
            "case": job.case,
            "variant": job.variant,
            "changes": job.changes,
            "setting": asdict(job.setting) if job.setting else None,
        }
        self._errors = tempfile.TemporaryFile("w+", errors="replace")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.child", json.dumps(told | {"born": time.time()})],
            env=os.environ
            | {"KERAS_BACKEND": job.backend, "PYTHONPATH": os.pathsep.join(filter(None, path))}
            | dict(job.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        try:
            self._told()
        except BaseException:  # then nobody else ends it
            self.__exit__()
            raise
        return self

    def __exit__(self, *raised):
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def turn(self) -> None:
        """Have it train an epoch."""
        if epoch := self._asked("go"):
            self.trained += epoch["seconds"]
            self.turns += 1

    def result(self) -> dict[str, float] | None:
        """Have it end, with what it read; None where it failed."""
        return None if self.failed else self._asked("stop")

    def _asked(self, what: str) -> dict[str, float] | None:
        with contextlib.suppress(BrokenPipeError):  # then it tells nothing
            print(what, file=self._process.stdin, flush=True)
        return self._told()

    def _told(self) -> dict[str, float] | None:
        assert self._process.stdout
        began = time.monotonic()
        seconds = max(0.0, min(LIMIT, self._job.deadline - began))
        limit = threading.Timer(seconds, self._process.kill)
        limit.daemon = True
        limit.start()
        line = self._process.stdout.readline()
        limit.cancel()
        if line:
            return json.loads(line)
        self.failed = True
        self._process.wait()
        self._errors.seek(0)
        slow = time.monotonic() - began >= seconds
        why = f"no epoch within {seconds:.0f} s" if slow else self._errors.read()[-2000:]
        print(f"{self._job}: {why}", file=sys.stderr)
        return None


def measured(job: Job, seconds: float) -> dict[str, float] | None:
    """What a process reads off in so many seconds of training; None where it fails."""
    [rows] = side_by_side({"": job}, 1, seconds).values() or [[]]
    return rows[0] if rows else None


def side_by_side(
    jobs: Mapping[str, Job], pairs: int, seconds: float
) -> dict[str, list[dict[str, float]]]:
    """So many times, all of the jobs, epoch by epoch in turns.

    Each job is a process, started when the first epoch of the one before it is over. What
    disturbs the machine for seconds or more so disturbs all of them. Every other time they are
    started backwards, and within a time they train backwards every other turn.

    Args:
        jobs: by name.
        pairs: how many times.
        seconds: of training that each is timed for, at least, and for two epochs.

    Returns:
        By name what each told, a row for each time in which all told something; without those
        that failed the first time, of which a line on stderr tells.
    """
    found: dict[str, list[dict[str, float]]] = {name: [] for name in jobs}
    for time_ in range(pairs):
        names = list(found) if time_ % 2 == 0 else list(reversed(found))
        row = _turns({name: jobs[name] for name in names}, seconds)
        if time_ == 0:
            found = {name: [] for name in found if name in row}
        if len(row) == len(found):
            for name, told in row.items():
                found[name].append(told)
    return found


def _turns(jobs: Mapping[str, Job], seconds: float) -> dict[str, dict[str, float]]:
    with contextlib.ExitStack() as stack:
        children = {}
        for name, job in jobs.items():
            print(job, flush=True)
            children[name] = stack.enter_context(Child(job))
        going = [child for child in children.values() if not child.failed]
        while any(child.turns < 2 or child.trained < seconds for child in going):
            for child in going:
                child.turn()
            going = [child for child in reversed(going) if not child.failed]
        return {name: told for name, child in children.items() if (told := child.result())}


def machine(packages: Sequence[str]) -> dict[str, Any]:
    """Processor, cores, memory in GB, and versions."""
    import platform
    from importlib.metadata import version

    from zoo.runtime.machine import machine

    here = machine()
    versions = {"Python": platform.python_version()}
    versions |= {package: version(package) for package in ("keras", *packages)}
    return {
        **here,
        "memory": round((here["memory"] or 0) / 2**30),
        "versions": versions,
    }
