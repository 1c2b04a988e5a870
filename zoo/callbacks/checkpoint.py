"""Keeps the weights of a run on disk, whole at every moment."""

from __future__ import annotations

import os

from zoo.callbacks.base import Callback
from zoo.errors import ZooError


class Checkpoint(Callback):
    """Saves weights and optimizer state after every epoch; training adds it to each run."""

    def on_epoch_end(self, epoch, logs=None):
        self.save(epoch + 1)

    def save(self, epochs: int) -> None:
        """Write beside and move into place, so that no reader finds half a file.

        Args:
            epochs: epochs that are complete.
        """
        run = self.bound().run
        temporary = run.path / ".writing.weights.h5"
        try:
            self.model.save_weights(temporary)
            os.replace(temporary, run.weights)
        except OSError as error:
            raise ZooError(f"cannot write {run.weights}: {error.strerror or error}") from error
        run.update(epoch=epochs)
