"""Pictures of what the model makes, in the run's folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from zoo.callbacks.base import Callback
from zoo.errors import ZooError


@dataclass(eq=False)
class _Grid(Callback):
    """Saves one kind of picture every few epochs, after the last, and as the newest.

    Args:
        every: epochs from one picture to the next.
        n: examples in a picture.
    """

    every: int = 1
    n: int = 64
    kind: ClassVar[str]

    def __post_init__(self):
        super().__init__()
        if self.every < 1 or self.n < 1:
            raise ZooError(f"callbacks.{self}: every and n have to be at least 1.")

    def on_train_begin(self, logs=None):
        self.bound()

    def on_epoch_end(self, epoch, logs=None):
        context, model = self.bound(), self.model
        last = epoch + 1 == context.epochs or model.stop_training
        if (epoch + 1) % self.every and not last:
            return
        image = context.picture(self.kind, model, epoch, self.n)
        if image is None:
            return
        folder = context.run.pictures
        context.save_picture(folder / f"{self.kind}-epoch-{epoch + 1:04d}.png", image, epoch)
        context.save_picture(folder / f"{self.kind}.png", image, epoch)


@dataclass(eq=False)
class SampleGrid(_Grid):
    """Saves samples as ``pictures/samples-epoch-0001.png``, the newest as ``samples.png``.

    The same random codes are used every epoch. A model that cannot sample, and data
    that cannot be drawn, give no picture.

    Args:
        every: epochs from one picture to the next; there is one of the last epoch anyway.
        n: pictures in the grid.
    """

    kind = "samples"


@dataclass(eq=False)
class ReconstructionGrid(_Grid):
    """Saves validation pictures, each row of them above the row of their reconstructions.

    They are ``pictures/reconstructions-epoch-0001.png`` and so on, the newest
    ``reconstructions.png``. A model that cannot reconstruct gives none.

    Args:
        every: epochs from one picture to the next; there is one of the last epoch anyway.
        n: validation pictures in the grid.
    """

    n: int = 32
    kind = "reconstructions"
