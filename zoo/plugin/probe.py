"""Imports plugins in child processes, where one that crashes or hangs costs the others nothing.

``python -m zoo.plugin.probe REQUEST`` is such a process. It imports what one distribution
provides, in order, and writes down what came of each before it goes on.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
import os
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.errors import ZooError, shortened
from zoo.plugin import registry
from zoo.plugin.registry import Record
from zoo.runtime import processes

START = 60  # seconds in which Keras and its backend are imported


def broken(kinds: Sequence[str], timeout: float) -> list[dict[str, Any]]:
    """The plugins that do not import, with the reason as ``why``.

    Args:
        kinds: of ``registry.GROUPS``.
        timeout: seconds that an import may take.
    """
    records = [record for kind in kinds for record in registry.records(kind)]
    found = []
    for distribution in dict.fromkeys(record.distribution for record in records):
        own = [record for record in records if record.distribution == distribution]
        while own:
            reasons, ending = _try(own, timeout)
            tried = own[: len(reasons)]
            if ending and len(reasons) < len(own):  # the one after them broke the process
                tried, reasons = own[: len(reasons) + 1], [*reasons, f"its import {ending}"]
            found += [(r, why) for r, why in zip(tried, reasons, strict=True) if why]
            own = own[len(tried) :] if tried else []
    return [{"type": r.typed, **dataclasses.asdict(r), "why": why} for r, why in found]


def _try(records: list[Record], timeout: float) -> tuple[list[str], str]:
    """Why each does not import, as far as the process came, and why that ended early."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer"
        answer.touch()
        names = [(record.kind, record.full_name) for record in records]
        request = json.dumps({"names": names, "answer": str(answer), "timeout": timeout})
        most = START + timeout * len(records)  # where the process cannot stop itself
        ending = processes.failure(["-m", "zoo.plugin.probe", request], most)
        lines = answer.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines], ending and _verb(ending)


def _verb(ending: str) -> str:
    if ending.startswith("no answer"):
        return f"hangs: {ending}"
    return ending if ending.startswith("crashed") else f"ends the process: {ending}"


def _main(text: str) -> None:
    request = json.loads(text)
    with contextlib.suppress(Exception):
        importlib.import_module("keras")  # most plugins do, and it is none of their time
    with open(request["answer"], "a", encoding="utf-8") as answer:
        for kind, name in request["names"]:
            alarm = threading.Timer(request["timeout"], _give_up, [request["timeout"]])
            alarm.daemon = True
            alarm.start()
            why = ""
            try:
                registry.load(kind, name)
            except ZooError as error:
                why = shortened(str(error), 600)
            alarm.cancel()
            answer.write(json.dumps(why) + "\n")
            answer.flush()


def _give_up(timeout: float) -> None:
    print(f"no answer within {timeout:g} s", file=sys.stderr, flush=True)
    os._exit(1)


if __name__ == "__main__":
    _main(sys.argv[1])
