"""Notes the step at which a term is no longer finite."""

from __future__ import annotations

import threading
from math import isfinite

from zoo.callbacks.base import Callback


class Finite(Callback):
    """Watches the terms of every step.

    Attributes:
        broken: ``(step in the epoch, from 0; names of the terms)`` of the first step of which
            a term was not finite; None while there is none.
    """

    # Keras hands the terms of a step over in a thread of its own where they may still be computed:
    # to look at them costs no waiting.
    async_safe = True

    def __init__(self):
        super().__init__()
        self._lock = threading.Lock()
        self.broken: tuple[int, list[str]] | None = None

    def on_train_batch_end(self, batch, logs=None):
        names = [name for name, value in (logs or {}).items() if not isfinite(value)]
        if names:
            with self._lock:
                if self.broken is None or batch < self.broken[0]:
                    self.broken = batch, names

    def blamed(self) -> str:
        """The terms, or where all of them are finite what they sum up to, in words."""
        names = self.broken[1] if self.broken else []
        terms = [name for name in names if not name.endswith("loss")] or names
        parts = [name.rpartition("/") for name in terms]
        text = ", ".join(f"{t} of player {p}{self._method(p, t)}" if p else t for p, _, t in parts)
        return f"{text} {'is' if len(terms) == 1 else 'are'}"

    def _method(self, player: str, term: str) -> str:
        """The method that a term is from, as ``" (from VAE.elbo)"``; empty for a total."""
        for move, own in self.model.described_moves():
            if term in own.get(player, ()):
                return f" (from {self.model.where}.{move.name})"
        return ""
