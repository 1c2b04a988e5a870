"""The test command: the whole suite on every backend, each in a process of its own.

    python -m tests                            all three backends
    python -m tests --backend jax,torch        these only
    python -m tests tests/test_losses.py -x    what follows goes to pytest

Tests marked ``backend_free`` run in the first pass only. Two passes run at once
where there are two cores; lines of output begin with the backend's name.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

from zoo.runtime import backends

NO_TESTS = 5  # pytest's exit status when nothing was collected


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests",
        description="Run the tests on every backend. Other arguments go to pytest.",
    )
    parser.add_argument("--backend", metavar="NAME,...", help="run on these only")
    parser.add_argument(
        "--allow-missing", action="store_true", help="pass over backends that are not installed"
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

    with ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
        passes = [
            pool.submit(run_pass, name, pytest_args, first=name == running[0]) for name in running
        ]
        results = [done.result() for done in passes]

    print()
    for name, (*_, failures) in zip(running, results, strict=True):
        for line in failures:
            print(f"[{name}] {line}")
    for name, (status, summary, seconds, _) in zip(running, results, strict=True):
        verdict = {0: "passed", NO_TESTS: "no tests"}.get(status, "FAILED")
        print(f"{name:<11} {verdict:<9} {seconds:5.0f} s  {summary}")
    for name in missing:
        print(f"{name:<11} not installed")
    statuses = {status for status, *_ in results}
    return 0 if statuses <= {0, NO_TESTS} and 0 in statuses else 1


def run_pass(name: str, pytest_args: list[str], first: bool) -> tuple[int, str, float, list[str]]:
    """Run pytest on one backend: its exit status, last line, seconds, and what failed."""
    command = [sys.executable, "-m", "pytest", *pytest_args]
    if not first:
        command.append("--only-backend-tests")
    started = time.monotonic()
    last: deque[str] = deque(maxlen=1)
    failures: list[str] = []
    with subprocess.Popen(
        command,
        env=os.environ | {"KERAS_BACKEND": name, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip():
                print(f"[{name}] {line}", end="", flush=True)
                last.append(line.strip(" =\n"))
                if line.startswith(("FAILED ", "ERROR ")):  # of pytest's own summary
                    failures.append(line.strip())
    return process.returncode, "".join(last), time.monotonic() - started, failures


if __name__ == "__main__":
    sys.exit(main())
