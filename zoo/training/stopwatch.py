"""How long a training takes, over all its stops."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any


class Stopwatch:
    """Runs from when it is made.

    Args:
        before: what ``read`` returned before a stop, or a state that has it; None for a new
            training. Time before a stop counts too, that of the processor where it is known.
    """

    def __init__(self, before: Mapping[str, Any] | None = None):
        before = {"seconds": 0.0, "processor_seconds": 0.0} if before is None else before
        self._wall, self._busy = before["seconds"], before.get("processor_seconds")
        self._began, self._began_busy = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float | None]:
        """``{"seconds": by the clock, "processor_seconds": of all cores, or None}``."""
        busy = time.process_time() - self._began_busy
        return {
            "seconds": round(self._wall + time.perf_counter() - self._began, 3),
            "processor_seconds": None if self._busy is None else round(self._busy + busy, 3),
        }
