"""When the whole state of a training is written, and what of it is kept."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from zoo.callbacks.base import Callback
from zoo.errors import ZooError

PAUSE = 60.0  # seconds from one checkpoint to the next, where it is for the zoo to say


@dataclass(eq=False)
class Checkpoint(Callback):
    """Says when a run's checkpoints are written; a recipe without one has that of the defaults.

    A checkpoint holds all that the training needs to go on as if it had never stopped. Besides
    those asked for, there is one whenever a training ends or is ended in an orderly way.

    Args:
        every: ``"epoch"``, at the end of each, but a minute apart at least; or so many
            steps, minutes or epochs, as ``"500 steps"``, ``"10 minutes"``, ``"5 epochs"``.
        keep: how many of the last ones to keep.
        best: what tells the best epoch, such as ``"val_loss"``; its checkpoint is kept besides,
            and written whatever ``every`` says. None for no such one.
        mode: ``"min"`` or ``"max"``: whether less of it is better, or more.
    """

    every: str = "epoch"
    keep: int = 2
    best: str | None = None
    mode: str = "min"
    _unit: str = field(default="epoch", init=False, repr=False)
    _count: float = field(default=1.0, init=False, repr=False)

    def __post_init__(self):
        super().__init__()
        found = re.fullmatch(r"(\d+(?:\.\d+)?)? ?(epoch|step|minute|second)s?", str(self.every))
        self._unit = found[2] if found else ""
        self._count = float(found[1] or 1) if found else 0
        if self._count <= 0 or (self._unit in ("epoch", "step") and self._count % 1):
            raise ZooError(
                f"callbacks.Checkpoint: every is 'epoch', '500 steps', '10 minutes' or the like, "
                f"not {self.every!r}"
            )
        if self.keep < 1:
            raise ZooError(f"callbacks.Checkpoint: keep is at least 1, not {self.keep}")
        if self.mode not in ("min", "max"):
            raise ZooError(f"callbacks.Checkpoint: mode is 'min' or 'max', not {self.mode!r}")

    def due_after_epoch(self, epochs: int, seconds: float) -> bool:
        """Whether to write when so many epochs are complete, so long after the last one."""
        if self._unit == "epoch":
            return not epochs % self._count and (self.every != "epoch" or seconds >= PAUSE)
        return self._unit in ("minute", "second") and seconds >= self._seconds

    def due_before_step(self, step: int, seconds: float) -> bool:
        """Whether to write when so many steps are made in all, so long after the last one."""
        if self._unit == "step":
            return not step % self._count
        return self._unit in ("minute", "second") and seconds >= self._seconds

    def better(self, value: float, than: float | None) -> bool:
        """Whether a value of ``best`` is better than the best so far, which None is below."""
        if not math.isfinite(value):
            return False
        return than is None or (value < than if self.mode == "min" else value > than)

    @property
    def _seconds(self) -> float:
        return self._count * (60 if self._unit == "minute" else 1)
