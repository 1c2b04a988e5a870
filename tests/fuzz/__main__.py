"""Tries inputs that nobody means: overrides, runs, files of numbers, labels and pictures.

    python -m tests.fuzz --seconds 600 --seed 1
    python -m tests.fuzz --seed 1 --only manifests:57        one of them again, by itself

A failure is a traceback, more than 10 seconds, more than 1 GB of memory besides what the process
had, a process that dies, something written outside the attempt's folder, or a process or
connection that is opened. Each is printed with the command that repeats it.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import select
import subprocess
import sys
import tempfile
import time

from tests.fuzz.child import MOST_MEMORY

MOST_SECONDS = 10.0
_ENVIRONMENT = {  # accelerations keep compiled programs in Keras's folder
    "ZOO_ACCELERATE": "none",
    "PYTHONDONTWRITEBYTECODE": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
_START = 300.0  # seconds in which a process imports what it needs

# The cheap ones more often: each kind gets about as many seconds.
SHARES = {
    **{"overrides": 4, "manifests": 4, "networks": 4, "checkpoints": 2, "packs": 4},
    **{"safetensors": 40, "codes": 40, "labels": 40, "pictures": 20, "arrays": 20},
}


class Child:
    """A process that tries inputs, started again when it has died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen | None = None
        self._worked = False
        self._told = tempfile.TemporaryFile()  # noqa: SIM115  # open for as long as this is

    def try_one(self, kind: str, seed: int, number: int) -> tuple[str, str]:
        """How an attempt ended, and what there is to say of it."""
        first = self._process is None
        if self._process is None:
            self._told.truncate(0)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.fuzz.child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._told,
                text=True,
                env={**os.environ, **_ENVIRONMENT},
            )
        process = self._process
        assert process.stdin and process.stdout
        print(json.dumps([kind, seed, number]), file=process.stdin, flush=True)
        began = time.monotonic()
        allowed = _START if first else MOST_SECONDS
        if not select.select([process.stdout], [], [], allowed)[0]:
            self.close()
            return "hang", f"no answer within {allowed:g} s"
        line = process.stdout.readline()
        if not line and first and not self._worked:
            self.close()
            raise SystemExit("the process that tries does not start: python -m tests.fuzz.child")
        self._worked = True
        if not line:
            status = process.wait()
            self.close()
            self._told.seek(0)
            last = self._told.read().decode("utf-8", "replace")[-2000:]
            seconds = time.monotonic() - began
            return "died", f"exit status {status} after {seconds:.1f} s\n{last}"
        outcome, what = json.loads(line)
        return outcome, what

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def main() -> int:
    """Try for so long, print what failed and how many there were; 1 where anything failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", metavar="KIND[:NUMBER]", help="one kind, or one input")
    options = parser.parse_args()
    only, _, number = (options.only or "").partition(":")
    shares = {only: 1} if only else SHARES
    child, counts = Child(), collections.Counter[tuple[str, str]]()
    numbers = collections.Counter({only: int(number or 0)} if only else {})
    failed, began = 0, time.monotonic()
    try:
        while time.monotonic() - began < options.seconds:
            for kind, times in shares.items():
                for _ in range(times):
                    this = numbers[kind]
                    outcome, what = child.try_one(kind, options.seed, this)
                    counts[kind, outcome] += 1
                    numbers[kind] += 1
                    if outcome not in ("passed", "told"):
                        failed += 1
                        again = f"python -m tests.fuzz --seed {options.seed} --only {kind}:{this}"
                        print(f"{outcome}: {again}\n{what}", flush=True)
            if number:
                break
    finally:
        child.close()
    for kind in shares:
        own = {outcome: n for (of, outcome), n in counts.items() if of == kind}
        told = ", ".join(f"{n:,} {outcome}" for outcome, n in sorted(own.items()))
        print(f"{kind:12} {sum(own.values()):6,}: {told}")
    seconds = time.monotonic() - began
    print(
        f"{sum(counts.values()):,} inputs in {seconds:.0f} s, {failed} failed; at most "
        f"{MOST_SECONDS:g} s and {MOST_MEMORY >> 20:,} MB each"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
