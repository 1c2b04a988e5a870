"""Steps that are made in one go, where a backend saves time so, and how many at once.

To start a step, load its batch and tell callbacks of it may take as long as a small step. So the
batches of several steps are handed over together, and callbacks are told of each step afterwards,
in order: but for those who have to see the model between two steps, before which a chunk ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
from keras.src.trainers.data_adapters.data_adapter import DataAdapter
from keras.src.utils.python_utils import is_default

from zoo.datasets import Batches

SECONDS = 0.2  # of a chunk: for so long it cannot be interrupted, and no report comes
BYTES = 1 << 22  # of the data of a chunk
MOST = 100  # steps

_METHODS = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")


def needs_every_step(callback: keras.callbacks.Callback) -> bool:
    """Whether a callback may look at the model after every step.

    So it is with one that has a method for batches, unless it says ``async_safe``, as to Keras,
    or how often it looks (``every_steps`` of the zoo's).
    """
    if getattr(callback, "async_safe", False) or getattr(callback, "every_steps", None):
        return False
    return not all(is_default(getattr(callback, method)) for method in _METHODS)


class Chunks(DataAdapter):
    """Batches for ``fit``, those of several steps joined in one item.

    The next item is made ready while the steps of one are made.

    Args:
        batches: of the steps.
        callbacks: that are told of the steps.

    Attributes:
        rows: examples of a step.
        parts: shape and dtype of an item's arrays, whose number of rows varies.
        most: steps of an item, at most. A batch that is short is an item of its own.
        telling: callbacks for which the steps are made one at a time.
    """

    def __init__(self, batches: Batches, callbacks: Iterable[keras.callbacks.Callback]):
        callbacks = list(callbacks)
        first = batches[0]
        self.batches = batches
        self.rows = batches.batch_size * batches.repeats
        self.parts = [((None, *part.shape[1:]), part.dtype) for part in first]
        self.telling = [c for c in callbacks if needs_every_step(c)]
        between = (getattr(c, "every_steps", None) for c in callbacks)
        self._between = [steps for steps in between if steps]
        size = sum(part.nbytes for part in first)
        self.most = 1 if self.telling else max(1, min(MOST, BYTES // size))
        self._seconds: float | None = None
        self._lengths: list[int] = []

    def length(self, item: int) -> int:
        """Steps of an item of this pass."""
        return self._lengths[item]

    def took(self, item: int, seconds: float) -> None:
        """Note how long the steps of an item took, by which the next ones are measured out."""
        if item:  # the first one may have been compiled
            self._seconds = seconds / self._lengths[item]

    def __iter__(self) -> Iterator[tuple[np.ndarray, ...]]:
        self._lengths = []
        steps, start = self.batches.num_batches, 0
        with ThreadPoolExecutor(1) as pool:
            ready = None
            while start < steps or ready:
                found = ready
                if start < steps:
                    length = self._next(start, steps)
                    ready = pool.submit(self._joined, start, start + length)
                    self._lengths.append(length)
                    start += length
                else:
                    ready = None
                if found:
                    yield found.result()

    def _next(self, start: int, steps: int) -> int:
        """Steps of the chunk that begins with this step of the pass."""
        wanted = int(SECONDS / self._seconds) if self._seconds else 1
        made = self.batches.epoch * len(self.batches) + self.batches.start + start
        until = [every - made % every for every in self._between]
        left = steps - start
        if left > 1 and len(self.batches.split) % self.rows and self.batches.repeats == 1:
            left -= 1
        return min(max(1, min(wanted, self.most, *until)), left)

    def _joined(self, start: int, end: int) -> tuple[np.ndarray, ...]:
        items = [self.batches[i] for i in range(start, end)]
        return items[0] if len(items) == 1 else tuple(map(np.concatenate, zip(*items, strict=True)))

    # --- what Keras asks

    def get_tf_dataset(self) -> Chunks:
        return self

    def get_torch_dataloader(self) -> Chunks:
        return self

    def get_jax_iterator(self) -> Iterator[tuple[np.ndarray, ...]]:
        return iter(self)

    @property
    def num_batches(self) -> int:
        """More than there will be: a pass is ended by who makes the steps."""
        return len(self.batches) + 1

    @property
    def batch_size(self) -> None:
        return None

    @property
    def has_partial_batch(self) -> None:
        return None

    @property
    def partial_batch_size(self) -> None:
        return None

    def on_epoch_begin(self) -> None:
        self.batches.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self.batches.on_epoch_end()
