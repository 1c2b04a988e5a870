"""The table of a run: every term of every epoch."""

from __future__ import annotations

import keras


class Table(keras.callbacks.CSVLogger):
    """Writes a row per epoch, and counts epochs from 1, as messages and file names do."""

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch + 1, logs)
