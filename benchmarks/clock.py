"""What is read off within a measuring process."""

from __future__ import annotations

import contextlib
import json
import resource
import sys
import time
from typing import TextIO

import keras

EPOCHS = 10**6  # more than there is time for


class Clock:
    """Times of a process that trains.

    Args:
        born: ``time.time()`` when the process was started.
        turns: where a line says ``go`` for an epoch, or ``stop``.
        told: where a line of JSON says what was read.

    Attributes:
        imported: seconds from ``born`` until the backend was there.
        first: seconds from ``born`` until the first step was made.
    """

    def __init__(self, born: float, turns: TextIO, told: TextIO):
        self._born, self._turns, self._told = born, turns, told
        self.imported = self.first = 0.0
        self._epochs: list[tuple[int, float, float, float]] = []
        self._waited = 0.0

    def ready(self) -> None:
        """The backend is imported."""
        self.imported = time.time() - self._born

    def stepped(self) -> None:
        """A step was made."""
        self.first = self.first or time.time() - self._born

    def begin(self) -> None:
        """An epoch begins."""
        self._began = time.perf_counter(), time.process_time()
        self._waited = 0.0

    def end(self, pictures: int) -> None:
        """It ends, its last step made; the first epoch, which compiles, does not count."""
        wall, busy = self._began
        wall, busy = time.perf_counter() - wall, time.process_time() - busy
        self._epochs.append((pictures, wall, busy, self._waited))

    @contextlib.contextmanager
    def waiting(self):
        """Where the steps wait for their data."""
        began = time.perf_counter()
        yield
        self._waited += time.perf_counter() - began

    def again(self) -> bool:
        """Wait for the turn to train another epoch; whether there is one.

        The first epoch waits for nobody.
        """
        if not self._epochs:
            return True
        self._tell({"seconds": self._epochs[-1][1]})
        return self._turns.readline().strip() == "go"

    def summarize(self, **more: float) -> None:
        """Tell of all that was read, and of more.

        Pictures a second; microseconds of all cores a picture, which work beside this one
        changes little; seconds to imports and to the first step; peak memory in MB; the share
        of the time that was spent waiting for data, where that was read.
        """
        pictures, wall, busy, waited = (
            sum(column) for column in zip(*self._epochs[1:], strict=True)
        )
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        unit = 1024**2 if sys.platform == "darwin" else 1024
        summary = {
            "pictures_per_second": pictures / wall,
            "processor": 1e6 * busy / pictures,
            "start": self.imported,
            "first_step": self.first,
            "memory": kilobytes / unit,
            **({"waiting": waited / wall} if waited else {}),
            **more,
        }
        self._tell(summary)

    def _tell(self, what: dict[str, float]) -> None:
        print(json.dumps(what), file=self._told, flush=True)


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
        self.model.stop_training = not self.clock.again()
