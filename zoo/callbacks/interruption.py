"""Ctrl-C ends training between two steps, after a checkpoint."""

from __future__ import annotations

import signal
import threading
from typing import Any

from zoo.callbacks.base import Callback
from zoo.callbacks.checkpoint import Checkpoint


class Interruption(Callback):
    """Turns the first Ctrl-C into a checkpoint and a ``KeyboardInterrupt`` between steps.

    An interrupt within a step would leave weights half moved; on JAX, where a step
    gives its buffers away, it could lose them. A second Ctrl-C interrupts at once.

    Args:
        checkpoint: what saves the weights.
    """

    def __init__(self, checkpoint: Checkpoint):
        super().__init__()
        self._checkpoint = checkpoint
        self._asked = False
        self._before: Any = None
        self._epoch = 0

    def on_train_begin(self, logs=None):
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._ask)

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    # Keras reports the ends of steps from other threads, but their beginnings from this one.
    # Validation is let finish: averaged weights may be swapped in while it lasts.

    def on_train_batch_begin(self, batch, logs=None):
        if self._asked:
            self._checkpoint.save(self._epoch)
            raise KeyboardInterrupt

    def on_epoch_end(self, epoch, logs=None):
        if self._asked:  # the checkpoint of this epoch is written: it comes first
            raise KeyboardInterrupt

    def on_train_end(self, logs=None):
        self.close()

    def close(self):
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def _ask(self, number, frame):
        self._asked = True
        self.close()
        self.bound().say("stopping after this step; Ctrl-C again stops at once")
