"""What is read off within a measuring process."""

from __future__ import annotations

import resource
import sys
import time

import keras

EPOCHS = 1000  # more than there is time for


class Clock:
    """Times of a process that trains.

    Args:
        born: ``time.time()`` when the process was started.
        seconds: of training, after the first epoch, that are enough.

    Attributes:
        imported: seconds from ``born`` until the backend was there.
        first: seconds from ``born`` until the first step was made.
    """

    def __init__(self, born: float, seconds: float):
        self._born, self._seconds = born, seconds
        self.imported = self.first = 0.0
        self._epochs: list[tuple[int, float, float]] = []

    def ready(self) -> None:
        """The backend is imported."""
        self.imported = time.time() - self._born

    def stepped(self) -> None:
        """A step was made."""
        self.first = self.first or time.time() - self._born

    def begin(self) -> None:
        """An epoch begins."""
        self._began = time.perf_counter(), time.process_time()

    def end(self, pictures: int) -> None:
        """It ends, its last step made; the first epoch, which compiles, does not count."""
        wall, busy = self._began
        self._epochs.append((pictures, time.perf_counter() - wall, time.process_time() - busy))

    @property
    def enough(self) -> bool:
        """Whether to stop: at least two epochs count, and they took long enough."""
        counted = self._epochs[1:]
        return len(counted) >= 2 and sum(seconds for _, seconds, _ in counted) >= self._seconds

    def told(self) -> dict[str, float]:
        """What was read.

        Returns:
            Pictures a second; microseconds of all cores a picture, which work beside this one
            changes little; seconds to imports and to the first step; peak memory in MB.
        """
        pictures, wall, busy = (sum(column) for column in zip(*self._epochs[1:], strict=True))
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        unit = 1024**2 if sys.platform == "darwin" else 1024
        return {
            "pictures_per_second": pictures / wall,
            "processor": 1e6 * busy / pictures,
            "start": self.imported,
            "first_step": self.first,
            "memory": kilobytes / unit,
        }


class Timer(keras.callbacks.Callback):
    """Reads the clock in ``fit``: an epoch is from its begin to the terms of its last step.

    Args:
        clock: which.
        pictures: of an epoch.
        steps: of an epoch.
    """

    async_safe = True  # it takes the terms when they are there

    def __init__(self, clock: Clock, pictures: int, steps: int):
        super().__init__()
        self.clock, self.pictures, self.steps = clock, pictures, steps

    def on_epoch_begin(self, epoch, logs=None):
        self.clock.begin()

    def on_train_batch_end(self, batch, logs=None):
        self.clock.stepped()
        if batch == self.steps - 1:
            self.clock.end(self.pictures)

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = self.clock.enough
