"""Means over the last few steps, out of running means since an epoch began."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Means:
    """Undoes the running means of Keras's logs.

    A running mean hides what changes late in an epoch, and jumps where the next one begins. The
    mean over the examples between two points does neither. It is exact but for rounding: of means
    in float32, about 1e-7 times the number of points in an epoch.
    """

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """An epoch begins."""
        self._seen = 0.0
        self._means: dict[str, float] = {}

    def since(self, means: Mapping[str, Any], seen: float) -> dict[str, float]:
        """The means of what was seen since the last call.

        Args:
            means: running means since the epoch began.
            seen: examples that they are of.

        Returns:
            Empty where nothing was seen since.
        """
        before, self._seen = self._seen, seen
        old, self._means = self._means, {name: float(value) for name, value in means.items()}
        if seen <= before:
            return {}
        return {
            name: (value * seen - old.get(name, 0.0) * before) / (seen - before)
            for name, value in self._means.items()
        }

    def get_state(self) -> dict[str, Any]:
        """For checkpoints within an epoch."""
        return {"seen": self._seen, "means": self._means}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take up what ``get_state`` gave."""
        self._seen, self._means = state["seen"], dict(state["means"])
