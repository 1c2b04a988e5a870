"""How fast the steps of an epoch go."""

from __future__ import annotations

import threading
import time


class Speed:
    """Counts the steps of an epoch and times them.

    Keras on JAX and PyTorch reports the ends of steps from several threads, in any
    order, so the count is guarded.

    Attributes:
        steps: steps the epoch has made.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self.steps = 0
        self.begin()

    def begin(self) -> None:
        """Start an epoch."""
        self._compiled = self.steps > 0
        self._began = time.perf_counter()
        self._first: tuple[int, float] | None = None
        self._last: tuple[int, float] | None = None
        self.steps = 0

    def step(self, batch: int) -> None:
        """Note the end of the step numbered ``batch``, from 0."""
        now = time.perf_counter()
        with self._lock:
            if batch >= self.steps:
                self.steps = batch + 1
                self._last = (self.steps, now)
                self._first = self._first or self._last

    @property
    def seconds(self) -> float:
        """Seconds since the epoch began."""
        return time.perf_counter() - self._began

    @property
    def per_second(self) -> float | None:
        """Steps a second; None before the first has ended.

        The first step of the first epoch, which compiles, is not counted where there are others.
        """
        with self._lock:
            first, last = self._first, self._last
        if first is None or last is None:
            return None
        if first == last or self._compiled:  # the first report may be of several steps
            first = (0, self._began)
        return (last[0] - first[0]) / max(last[1] - first[1], 1e-9)
