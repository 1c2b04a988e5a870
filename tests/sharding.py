"""Which tests a shard runs, by what they cost when they were last recorded.

``tests/durations.json`` holds, per backend, how many tests of a file cost how many seconds of
processor time together. A test of more than ``LONG`` seconds has a line of its own, and is
not among its file's. Tests that are not in it are taken to cost what their neighbours do.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import mean

FILE = Path(__file__).parent / "durations.json"
LONG = 2.0
SLOW = 10.0  # tests of more seconds are marked slow
UNKNOWN = 0.2  # seconds per test, where nothing was recorded at all

Costs = dict[str, list[float]]
"""``{file or test: [how many tests, their seconds]}`` of one backend."""


def read(path: Path = FILE) -> dict[str, Costs]:
    """What was recorded, per backend; nothing where there is no file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write(recorded: Mapping[str, Costs], path: Path = FILE) -> None:
    """Write what was recorded, one line per file or test, so that changes are read easily."""
    backends = []
    for backend, costs in sorted((name, costs) for name, costs in recorded.items() if costs):
        lines = [f"    {json.dumps(name)}: {json.dumps(costs[name])}" for name in sorted(costs)]
        backends.append(f"  {json.dumps(backend)}: {{\n" + ",\n".join(lines) + "\n  }")
    path.write_text("{\n" + ",\n".join(backends) + "\n}\n", encoding="utf-8")


def merged(costs: Costs, seconds: Mapping[str, float]) -> Costs:
    """What was recorded before, with the files anew of which tests have run now."""
    seen = {_file(test) for test in seconds}
    found = {name: cost for name, cost in costs.items() if _file(name) not in seen}
    for test, own in seconds.items():
        name = test if own > LONG else _file(test)
        tests, total = found.get(name, [0, 0.0])
        found[name] = [tests + 1, round(total + own, 2)]
    return found


def seconds_of(tests: Sequence[str], backend: str, recorded: Mapping[str, Costs]) -> list[float]:
    """What each test will cost.

    Tests that need no backend are recorded under one of them: the other backends' records
    stand in for one that does not know a file.
    """
    order = [backend, *(name for name in sorted(recorded) if name != backend)]
    known: dict[str, float] = {}
    for name in reversed(order):
        costs = recorded.get(name, {})
        known.update({file: total / tests for file, (tests, total) in costs.items()})
    usual = mean(known.values()) if known else UNKNOWN
    return [known.get(test, known.get(_file(test), usual)) for test in tests]


def share(seconds: Sequence[float], shard: int, shards: int) -> list[int]:
    """The places of the tests of one shard, counted from 1.

    A shard is a piece in one part, so that tests that share a fixture stay together.
    """
    total, before, chosen = sum(seconds), 0.0, []
    for place, own in enumerate(seconds):
        middle = before + own / 2
        if shard == 1 + min(int(shards * middle / total) if total else 0, shards - 1):
            chosen.append(place)
        before += own
    return chosen


def total(backend: str, recorded: Mapping[str, Costs]) -> float:
    """What all tests of a backend cost; as those of the costliest one where it is not known."""
    known = {name: sum(own for _, own in costs.values()) for name, costs in recorded.items()}
    return known.get(backend, max(known.values(), default=0.0))


def unmarked(seconds: Mapping[str, float], slow: Iterable[str]) -> list[str]:
    """Tests that have to be marked slow, and are not."""
    marked = set(slow)
    return [test for test, own in seconds.items() if own > SLOW and test not in marked]


def processor_seconds() -> float:
    """Seconds of processor time of this process and of its children that have ended.

    Recorded rather than seconds of a clock, as what shards share are the cores, and
    whatever else runs on the machine does not count.
    """
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _file(test: str) -> str:
    return test.partition("::")[0]
