"""The benchmark on a GPU: each precision, chunks on and off, beside the hand-written code.

    python -m benchmarks --gpu                          ten minutes; writes docs/lab/performance.md
    python -m benchmarks --gpu --models A --minutes 3   these only; the other results stay
    python -m benchmarks --gpu --device cpu --smoke     tiny, to see that all of it runs

Each measurement is a process of its own, and has the card to itself. The most telling ones come
first. What does not fit into the time is listed as not measured.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import cases, flops, gpu_table, running, table
from benchmarks.running import Job
from benchmarks.setting import PRECISIONS, Setting
from zoo.runtime import backends

FILE = Path(__file__).parent / "gpu.json"
SECONDS = 1.0  # of training that a measurement is timed for

ROUNDS = (("zoo", True), ("hand", True), ("zoo", False))
"""Who trains, and whether in chunks, the most telling first."""


def main(options) -> int:
    """Measure what fits into the time, keep the results as JSON, render the table."""
    path = options.json or (FILE if options.device == "gpu" and not options.smoke else None)
    kept = json.loads(path.read_text()) if path and path.exists() else {}
    if options.table:
        results = kept
    elif options.device == "gpu" and not backends.gpu_present():
        print("no NVIDIA GPU was found. To see that all of it runs, without one:", file=sys.stderr)
        print("python -m benchmarks --gpu --device cpu --smoke", file=sys.stderr)
        return 2
    else:
        results = _measured(options, kept, path)
    text = gpu_table.rendered(results)
    print(text)
    if options.device == "gpu" and not options.smoke:
        table.put(text, options.docs, gpu_table.BEGIN)
    return 0


def _measured(options, kept, path: Path | None):
    """The results of another run on the same machine stay, where they are not measured anew."""
    machine = running.machine(backends.installed()) | _card(options.device)
    machine["tiny"] = options.smoke
    results = {"machine": machine, "measured": {}, "left": {}}
    if kept.get("machine") == machine:
        results |= {part: kept[part] for part in ("measured", "left")}
    seconds = SECONDS if options.seconds is None else options.seconds
    budget = Budget(60 * options.minutes)
    for job, found in budget.run(jobs(options), lambda job: running.measured(job, seconds)):
        key = gpu_table.key(job)
        results["measured"].pop(key, None)
        results["left"].pop(key, None)
        if isinstance(found, str):
            results["left"][key] = found
        else:
            results["measured"][key] = found
        if path:
            path.write_text(json.dumps(results, indent=1) + "\n")
    return results


def jobs(options) -> list[Job]:
    """All measurements, the most telling first."""
    return [
        Job(
            name,
            backend,
            variant,
            cases.SMOKE[name] if options.smoke else {},
            setting=Setting(options.device, precision, chunks),
        )
        for precision in PRECISIONS
        for variant, chunks in ROUNDS
        for name in options.models
        if cases.CASES[name].model in flops.MODELS
        for backend in options.backends
    ]


@dataclass
class Budget:
    """Seconds that measurements may take in all.

    Attributes:
        seconds: how many.
        now: a clock.
    """

    seconds: float
    now: Callable[[], float] = time.monotonic

    def run(self, jobs: Iterable[Job], measure: Callable[[Job], dict | None]):
        """``(job, what it told)``, or a line in place of it that says why there is nothing.

        A job is left out where the longest one so far on its backend would not fit. One that
        does not end in time is made to end.
        """
        end = self.now() + self.seconds
        longest: dict[str, float] = {}
        for job in jobs:
            began = self.now()
            if began + longest.get(job.backend, 0.0) >= end:
                yield job, "no time was left"
                continue
            found = measure(replace(job, deadline=end))
            took = self.now() - began
            if found is None and self.now() >= end:
                yield job, "it did not end in time"
            else:
                longest[job.backend] = max(took, longest.get(job.backend, 0.0))
                yield job, "it failed" if found is None else found


def _card(device: str) -> dict[str, str]:
    """The card's name and memory, and its driver's version, as the driver tells them."""
    if device != "gpu":
        return {"device": device}
    asked = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return {"device": device, "card": "a GPU that nvidia-smi did not name"}
    name, memory, driver = (part.strip() for part in told.stdout.splitlines()[0].split(","))
    return {"device": device, "card": f"{name}, {memory}, driver {driver}"}
