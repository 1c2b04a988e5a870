"""The machine that this process runs on, in words and numbers that a run keeps."""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path
from typing import Any

from zoo.runtime import memory
from zoo.runtime.console import printable


def machine() -> dict[str, Any]:
    """``{"processor": its model, "cores": how many, "memory": bytes}``.

    Cores and memory are those that this process may use, which a container may have few of;
    ``"memory"`` is None where nothing says how much there is.
    """
    there = memory.most()
    return {
        "processor": printable(_processor()),
        "cores": _cores(),
        "memory": there if there < memory.UNKNOWN else None,
    }


def _processor() -> str:
    with contextlib.suppress(OSError):  # Linux alone has the file
        for line in (
            Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        ):
            name, _, value = line.partition(":")
            if name.strip() == "model name" and value.strip():
                return value.strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # macOS and Windows have none
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
