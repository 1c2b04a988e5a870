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
        self.bound().kinds[self.kind] = self.n

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


@dataclass(eq=False)
class LatentManifold(_Grid):
    """Saves what the plane of a 2-D latent decodes to (Kingma & Welling 2014, figure 4).

    The codes are the quantiles of a standard normal distribution at equal steps of
    probability, or those of a normal one fitted to the codes of a model that has no prior; the
    label is 0 where one is needed. They are ``pictures/manifold-epoch-0001.png`` and so on, the
    newest ``manifold.png``. A model that cannot decode, or from another dimension, gives none.

    Args:
        every: epochs from one picture to the next; there is one of the last epoch anyway.
        n: pictures in a row, and in a column.
    """

    n: int = 20
    kind = "manifold"


@dataclass(eq=False)
class LatentScatter(_Grid):
    """Saves where the codes of validation examples lie, coloured by label.

    Of codes of more than 2 dimensions, their first two principal components are drawn, as the
    caption says. They are ``pictures/codes-epoch-0001.png`` and so on, the newest
    ``codes.png``. A model that cannot encode gives none.

    Args:
        every: epochs from one picture to the next; there is one of the last epoch anyway.
        n: validation examples.
    """

    n: int = 2000
    kind = "codes"


@dataclass(eq=False)
class Traversals(_Grid):
    """Saves what becomes of the first validation picture as one dimension of its code changes.

    A row for each of the dimensions in which codes vary most, from -3 to 3 times what a code's
    standard deviation is: 1 under a standard normal prior, and that of the codes in a model
    without a prior. For a model that cannot encode, around a draw of noise, and the first
    dimensions. They are ``pictures/traversals-epoch-0001.png`` and so on, the newest
    ``traversals.png``. A model that cannot decode gives none.

    Args:
        every: epochs from one picture to the next; there is one of the last epoch anyway.
        n: dimensions, as far as there are so many.
    """

    n: int = 10
    kind = "traversals"


@dataclass(eq=False)
class Interpolations(_Grid):
    """Saves ways through the latent space, one a row, between pairs of validation pictures.

    Linear between their codes; for a model that cannot encode, spherical between two draws of
    noise. They are ``pictures/interpolations-epoch-0001.png`` and so on, the newest
    ``interpolations.png``. A model that cannot decode gives none.

    Args:
        every: epochs from one picture to the next; there is one of the last epoch anyway.
        n: pairs.
    """

    n: int = 8
    kind = "interpolations"
