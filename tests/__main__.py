"""The test command: the suite on every backend, in shards, as many at once as there are cores.

    python -m tests                            all three backends: some 20 minutes on two cores
    python -m tests --full                     every test in its whole form: before a release
    python -m tests --backend jax,torch        these backends only
    python -m tests tests/test_losses.py -x    what follows goes to pytest
    python -m tests --record                   write tests/durations.json anew

A backend's tests are cut into shards of equal cost, by what they cost when they were last
recorded; record them when shards end far apart. Where tests are chosen (a path, ``-k``,
``-m``), a backend is one shard. Tests marked ``backend_free`` run on one backend only; so do
those marked ``once_in_short``, unless ``--full`` is given.
Lines of output begin with the backend and its shard.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests import sharding
from zoo.runtime import backends

NO_TESTS = 5  # pytest's exit status when nothing was collected
SHARDS = 2  # per backend, or more where there are more than six cores
OUTCOMES = ("failed", "error", "passed", "skipped", "xfailed", "xpassed")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests",
        description="Run the tests on every backend. Other arguments go to pytest.",
    )
    parser.add_argument("--backend", metavar="NAME,...", help="run on these only")
    parser.add_argument(
        "--allow-missing", action="store_true", help="pass over backends that are not installed"
    )
    parser.add_argument("--full", action="store_true", help="every test in its whole form")
    parser.add_argument(
        "--record", action="store_true", help="keep what tests cost in tests/durations.json"
    )
    options, pytest_args = parser.parse_known_args()
    chosen = options.backend.split(",") if options.backend else list(backends.BACKENDS)
    for name in chosen:
        if name not in backends.BACKENDS:
            parser.error(f"no backend {name!r}; choose from {', '.join(backends.BACKENDS)}")
    missing = [name for name in chosen if name not in backends.installed()]
    if missing and not options.allow_missing:
        parser.error(
            f"not installed: {', '.join(missing)}. Install all with "
            'pip install -c constraints.txt -e ".[all,test]", or say --allow-missing or --backend'
        )
    running = [name for name in chosen if name not in missing]
    if not running:
        parser.error("no backend is installed")

    pytest_args = ["-q", *(["--full"] if options.full else []), *pytest_args]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        shards = shards_of(running, pytest_args, Path(folder) if options.record else None)
        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            list(pool.map(Shard.run, shards))
        if options.record:
            record(shards)
    summarize(running, missing, shards, time.monotonic() - began)
    statuses = {shard.status for shard in shards}
    return 0 if statuses <= {0, NO_TESTS} and 0 in statuses else 1


@dataclass
class Shard:
    """One process of pytest, and what came of it."""

    backend: str
    number: int
    of: int
    arguments: list[str]
    cost: float
    costs: Path | None = None
    status: int = -1
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def called(self) -> str:
        return f"{self.backend} {self.number}/{self.of}" if self.of > 1 else self.backend

    def run(self) -> None:
        """Run pytest, and pass on what it prints."""
        command = [sys.executable, "-m", "pytest", *self.arguments]
        if self.of > 1:
            command += ["--shard", f"{self.number}/{self.of}"]
        if self.costs:
            command += ["--record", str(self.costs)]
        began = time.monotonic()
        last: deque[str] = deque(maxlen=1)
        with subprocess.Popen(
            command,
            env=os.environ | {"KERAS_BACKEND": self.backend, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if line.strip():
                    print(f"[{self.called}] {line}", end="", flush=True)
                    last.append(line)
                    if line.startswith(("FAILED ", "ERROR ")):  # of pytest's own summary
                        self.failures.append(line.strip())
        self.status, self.seconds = process.returncode, time.monotonic() - began
        for count, outcome in re.findall(r"(\d+) (\w+)", "".join(last)):
            self.outcomes["error" if outcome == "errors" else outcome] += int(count)
        if self.status not in (0, NO_TESTS) and not self.failures:  # it crashed, say
            self.failures.append(f"pytest ended with exit status {self.status}")


def shards_of(running: list[str], pytest_args: list[str], costs: Path | None) -> list[Shard]:
    """The shards of all backends, longest first, so that no core is idle at the end."""
    options = [argument for argument in pytest_args if re.match(r"--?[^km]", argument)]
    chosen = len(options) < len(pytest_args)
    of = 1 if chosen else max(SHARDS, -(-(os.cpu_count() or 1) // len(running)))
    free = "torch" if "torch" in running else running[0]  # which compiles nothing
    recorded = sharding.read()
    shards = []
    for name in running:
        arguments = pytest_args + ([] if name == free else ["--only-backend-tests"])
        for number in range(1, of + 1):
            path = costs / f"{name}-{number}.json" if costs else None
            cost = sharding.total(name, recorded) / of
            shards.append(Shard(name, number, of, arguments, cost, path))
    return sorted(shards, key=lambda shard: -shard.cost)


def record(shards: list[Shard]) -> None:
    """Keep what the tests cost, and say which of them have to be marked slow."""
    recorded = sharding.read()
    for name in {shard.backend for shard in shards}:
        seconds: dict[str, float] = {}
        slow: list[str] = []
        for shard in shards:
            if shard.backend == name and shard.costs and shard.costs.exists():
                told = json.loads(shard.costs.read_text(encoding="utf-8"))
                seconds |= told["seconds"]
                slow += told["slow"]
        recorded[name] = sharding.merged(recorded.get(name, {}), seconds)
        for test in sharding.unmarked(seconds, slow):
            print(f"[{name}] more than {sharding.SLOW:.0f} s, mark it slow: {test}")
    sharding.write(recorded)


def summarize(running: list[str], missing: list[str], shards: list[Shard], wall: float) -> None:
    """Print what failed, and a line per backend."""
    print()
    for shard in shards:
        for line in shard.failures:
            print(f"[{shard.called}] {line}")
    for name in running:
        own = [shard for shard in shards if shard.backend == name]
        statuses = {shard.status for shard in own}
        outcomes = sum((shard.outcomes for shard in own), Counter())
        told = ", ".join(f"{outcomes[o]} {o}" for o in OUTCOMES if outcomes[o])
        seconds = sum(shard.seconds for shard in own)
        verdict = "no tests" if statuses == {NO_TESTS} else "passed"
        verdict = verdict if statuses <= {0, NO_TESTS} else "FAILED"
        print(f"{name:<11} {verdict:<9} {seconds:5.0f} s  {told}")
    for name in missing:
        print(f"{name:<11} not installed")
    print(f"{wall:.0f} s, {sharding.processor_seconds():.0f} s of processor time")


if __name__ == "__main__":
    sys.exit(main())
