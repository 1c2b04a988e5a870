"""The batches of several steps, handed over together.

To start a step, load its batch and tell callbacks of it may take as long as a small step. So the
batches of several steps are one chunk, and callbacks are told of each step afterwards, in order.
A chunk ends where a callback has to see the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from zoo.datasets import Batches
from zoo.engine import distributed
from zoo.random import Share

SECONDS = 0.2  # of a chunk: for so long it cannot be interrupted, and no report comes
BYTES = 1 << 22  # of the data of a chunk
MOST = 100  # steps

_METHODS = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")


@dataclass(frozen=True)
class Chunk:
    """Some steps of an epoch, one after the other.

    Attributes:
        first: the first one's place in the epoch, from 0.
        steps: how many.
        data: the arrays of all their batches, ``(steps * rows, ...)``, in tuples and dicts as
            batches have them; fewer rows where the last batch of an epoch is short.
        looked_at: whether a callback looks at the model after the last step.
        share: the rows of each step that this process has; None where it has all.
    """

    first: int
    steps: int
    data: tuple
    looked_at: bool
    share: Share | None = None


class Chunks:
    """Divides epochs into chunks. The next one is made ready while one is trained on.

    Args:
        batches: of the steps.
        callbacks: those that are told of the steps.

    Attributes:
        rows: examples of a step, or as many of them as this process has.
        most: steps of a chunk, at most. A batch that is short is a chunk of its own.
        per_step_callbacks: callbacks for which each step is a chunk of its own, because they may
            look at the model after any of them.
        lookers: callbacks of the zoo, which say when they look at the model.
    """

    def __init__(self, batches: Batches, callbacks: Iterable[keras.callbacks.Callback]):
        callbacks = list(callbacks)
        self.batches = batches
        self._whole = batches.batch_size * batches.repeats
        share = batches.share(0)
        self.rows = share.rows * batches.repeats if share else self._whole
        self.per_step_callbacks = [c for c in callbacks if needs_every_step(c)]
        self.lookers = [c for c in callbacks if hasattr(c, "next_look")]
        size = sum(part.nbytes for part in keras.tree.flatten(batches[0]))
        self.most = 1 if self.per_step_callbacks else max(1, min(MOST, BYTES // size))
        self._seconds: float | None = None

    def took(self, chunk: Chunk, seconds: float) -> None:
        """Note how long a chunk took; the next ones are measured out by it."""
        if chunk.first:  # the first one may have been compiled
            self._seconds = seconds / chunk.steps

    def of_epoch(self, epoch: int, start: int = 0) -> Iterator[Chunk]:
        """The chunks of an epoch (from 0), from one of its steps on."""
        self.batches.epoch = epoch
        with ThreadPoolExecutor(1) as pool:
            ready: Future[Chunk] | None = None
            while start < len(self.batches) or ready:
                found, ready = ready, None
                if start < len(self.batches):
                    steps, looked_at = self._length(epoch, start)
                    ready = pool.submit(self._joined, start, steps, bool(looked_at))
                    start += steps
                if found:
                    yield found.result()

    def _length(self, epoch: int, start: int) -> list[int]:
        """Steps of the chunk that begins with a step of an epoch, and whether it is looked at."""
        wanted = int(SECONDS / self._seconds) if self._seconds else 1
        made = epoch * len(self.batches) + start
        looks = [c.next_look(made) for c in self.lookers]
        until = [look - made for look in looks if look]
        left = len(self.batches) - start
        if left > 1 and len(self.batches.split) % self._whole and self.batches.repeats == 1:
            left -= 1
        steps = min(max(1, min(wanted, self.most, *until)), left)
        looked_at = bool(self.per_step_callbacks) or bool(self.looking(made + steps))
        return distributed.decided(steps, looked_at)

    def looking(self, made: int) -> list[Any]:
        """The callbacks that look at the model after so many steps of the training."""
        return [c for c in self.lookers if c.next_look(made - 1) == made]

    def _joined(self, start: int, steps: int, looked_at: bool) -> Chunk:
        items = [self.batches[i] for i in range(start, start + steps)]
        data = items[0] if steps == 1 else keras.tree.map_structure(_concatenated, *items)
        return Chunk(start, steps, data, looked_at, self.batches.share(start))


def _concatenated(*parts: np.ndarray) -> np.ndarray:
    return np.concatenate(parts)


def needs_every_step(callback: keras.callbacks.Callback) -> bool:
    """Whether a callback may look at the model after every step.

    It may if it has a method for batches, unless it says ``async_safe``, as Keras has it, or how
    often it looks (``every_steps``, of the zoo's callbacks).
    """
    if getattr(callback, "async_safe", False) or getattr(callback, "every_steps", None):
        return False
    return any(
        getattr(getattr(callback, method), "__func__", None)
        is not getattr(keras.callbacks.Callback, method)
        for method in _METHODS
    )


class InOrder(keras.callbacks.Callback):
    """Has Keras tell all callbacks of each step at once, in the thread that trains.

    On some backends it would otherwise hand them over to threads.
    """

    def on_train_batch_end(self, batch, logs=None):
        pass
