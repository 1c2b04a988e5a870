"""One measurement, in a process of its own, an epoch whenever a line of its input says so.

What the clock reads is its output; whatever else is printed goes where errors go.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any


def main() -> None:
    """Read what to measure from the command line, as JSON, and measure it."""
    told = json.loads(sys.argv[1], object_hook=_tuples)
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    backend, variant = os.environ["KERAS_BACKEND"], told["variant"]
    from benchmarks import cases

    case = cases.case(told["case"], told["changes"])
    setting = _setting(told["setting"])
    if setting:
        setting.before_keras(backend)
    elif variant == "zoo":  # as the command does
        from zoo.runtime.backends import Choice, activate

        activate(Choice(backend, "cpu", "a benchmark"))
    from benchmarks.clock import Clock

    clock = Clock(told["born"], sys.stdin, output)
    modules = {
        "zoo": "benchmarks.through_zoo",
        "keras": "benchmarks.keras_fit",
        "pythae": "benchmarks.through_pythae",
        "hand": f"benchmarks.by_hand.{backend}",
    }
    measuring = importlib.import_module(modules[variant])
    importlib.import_module(backend)
    clock.ready()
    if setting:
        setting.apply(backend)
    measuring.measure(case, clock)
    clock.summarize(**_computed(case, setting))


def _setting(told: dict[str, Any] | None):
    from benchmarks.setting import Setting

    return Setting(**told) if told else None


def _computed(case, setting) -> dict[str, float]:
    """Operations of training by a picture, and those per second of a matrix product."""
    if not setting:
        return {}
    from benchmarks import flops, peak

    return {
        "flops_per_picture": flops.of_step(case) / (case.batch_size * case.repeats),
        "product": peak.product(setting.device),
    }


def _tuples(read: dict) -> dict:
    """JSON has lists where settings have tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in read.items()}


if __name__ == "__main__":
    main()
