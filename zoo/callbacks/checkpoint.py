"""When the whole state of a training is written, and what of it is kept."""

from __future__ import annotations

import math
from dataclasses import dataclass

from zoo.callbacks.base import Callback
from zoo.callbacks.interval import Interval
from zoo.errors import ZooError
from zoo.plugin import limits

PAUSE = 60.0  # seconds from one checkpoint to the next, where it is for the zoo to say


@dataclass(eq=False)
class Checkpoint(Callback):
    """Says when a run's checkpoints are written; a recipe without one has that of the defaults.

    A checkpoint holds all that the training needs to go on as if it had never stopped. Besides
    those asked for, there is one whenever a training ends or is ended in an orderly way.

    Args:
        every: ``"epoch"``, at the end of each, but a minute apart at least; a number of epochs;
            or so many steps, minutes or seconds, as ``"500 steps"``, ``"10 minutes"``.
        keep: how many of the last ones to keep.
        best: what tells the best epoch, such as ``"val_loss"``; its checkpoint is kept besides,
            and written whatever ``every`` says. None for no such one.
        mode: ``"min"`` or ``"max"``: whether less of it is better, or more.
    """

    every: str | int = "epoch"
    keep: int = 2
    best: str | None = None
    mode: str = "min"

    def __post_init__(self):
        super().__init__()
        self._interval = Interval.parse(self.every, "callbacks.Checkpoint")
        if self._interval.unit == "step":
            self.every_steps = int(self._interval.count)
        limits.check_count(self, "keep", 1, where="callbacks.Checkpoint")
        if self.mode not in ("min", "max"):
            raise ZooError(f"callbacks.Checkpoint: mode is 'min' or 'max', not {self.mode!r}")

    def due(self, steps: int, epochs: int | None, seconds: float) -> bool:
        """Whether to write one now; see ``Interval.over``."""
        if self.every == "epoch" and seconds < PAUSE:
            return False
        return self._interval.over(steps, epochs, seconds)

    def better(self, value: float, than: float | None) -> bool:
        """Whether a value of ``best`` is better than the best so far, which None is below."""
        if not math.isfinite(value):
            return False
        return than is None or (value < than if self.mode == "min" else value > than)
