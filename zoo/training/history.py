"""The table of a run: every term of every epoch."""

from __future__ import annotations

import keras


class Table(keras.callbacks.CSVLogger):
    """Writes a row per epoch, and counts epochs from 1, as messages and file names do.

    Its columns are those of the first row: what ``callbacks.Measure`` finds now and then is
    elsewhere.
    """

    def on_epoch_end(self, epoch, logs=None):
        names = self.model.metrics_names
        of_each = {
            key: value
            for key, value in (logs or {}).items()
            if not key.startswith("val_") or key.removeprefix("val_") in names
        }
        super().on_epoch_end(epoch + 1, of_each)
