"""Measurements are run, each in a process of its own, those that are compared side by side."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

LIMIT = 900  # seconds that a measurement may take

_ROOT = Path(__file__).parents[1]


def measured(
    case: str,
    backend: str,
    variant: str,
    seconds: float,
    changes: Mapping[str, Any] = {},
    how: Mapping[str, Any] = {},
    environment: Mapping[str, str] = {},
) -> dict[str, float] | None:
    """What ``benchmarks.child`` reads off, or None where it fails, of which it tells.

    Args:
        case: a name in ``cases.CASES``.
        backend: its name.
        variant: one of ``cases.VARIANTS``.
        seconds: of training that are timed.
        changes: of the case.
        how: arguments of the variant's ``measure``.
        environment: of the process.
    """
    told = {"case": case, "variant": variant, "seconds": seconds, "changes": changes}
    told |= {"how": how, "born": time.time()}
    path = os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    try:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.child", json.dumps(told)],
            env=os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": path} | dict(environment),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LIMIT,
        )
    except subprocess.TimeoutExpired:
        print(f"{case} on {backend}, {variant}: no end within {LIMIT} s", file=sys.stderr)
        return None
    if done.returncode:
        print(f"{case} on {backend}, {variant}:\n{done.stderr[-2000:]}", file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def side_by_side(
    measures: Mapping[str, Callable[[], dict | None]], pairs: int
) -> dict[str, list[dict]]:
    """Each of the measures so many times, one after the other, every other time backwards.

    Returns:
        By name what each told, a row for each time in which all told something; without those
        that failed the first time.
    """
    found: dict[str, list[dict]] = {name: [] for name in measures}
    for time_ in range(pairs):
        names = list(found) if time_ % 2 == 0 else list(reversed(found))
        row = {name: told for name in names if (told := measures[name]())}
        if time_ == 0:
            found = {name: rows for name, rows in found.items() if name in row}
        if len(row) == len(found):
            for name, told in row.items():
                found[name].append(told)
    return found


def machine(packages: Sequence[str]) -> dict[str, Any]:
    """Processor, cores, memory in GB, and versions."""
    import platform
    from importlib.metadata import version

    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [s.partition(":")[2] for s in info.read_text().splitlines() if "model name" in s]
        name = names[0].strip() if names else name
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if os.name == "posix" else 0
    versions = {"Python": platform.python_version()}
    versions |= {package: version(package) for package in ("keras", *packages)}
    return {
        "processor": name,
        "cores": os.cpu_count(),
        "memory": round(memory / 2**30),
        "versions": versions,
    }
