"""Pictures of what the model makes, in the run's folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from zoo.callbacks.base import Callback
from zoo.callbacks.interval import Interval
from zoo.plugin import limits
from zoo.plugin.views import ROWS, find


@dataclass(eq=False)
class _Grid(Callback):
    """Saves one kind of picture every few epochs or steps, after the last, and as the newest.

    Args:
        every: epochs from one picture to the next, or ``"500 steps"``.
        n: examples in a picture.
    """

    every: int | str = 1
    n: int = 64
    kind: ClassVar[str]
    most: ClassVar[int] = limits.MOST_SHOWN

    def __post_init__(self):
        super().__init__()
        self._interval = Interval.parse(self.every, f"callbacks.{self}", ("epoch", "step"))
        limits.check_count(self, "n", 1, self.most, f"callbacks.{type(self).__name__}")
        if self._interval.unit == "step":
            # only then: Keras waits for every step for whoever has this method
            self.on_train_batch_end = self._after_step
            self.every_steps = int(self._interval.count)

    def on_train_begin(self, logs=None):
        self.bound().kinds[self.kind] = self.n

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def _after_step(self, batch, logs=None):
        context = self.bound()
        steps = self._epoch * context.steps + batch + 1
        if self._interval.over(steps):
            self._save(context.draw(self.kind, self.model, self.n), f"step-{steps:07d}")

    def on_epoch_end(self, epoch, logs=None):
        context, model = self.bound(), self.model
        last = epoch + 1 == context.epochs or model.stop_training
        by_epochs = self._interval.unit == "epoch"
        if last or (by_epochs and self._interval.over(0, epoch + 1)):
            image = context.picture(self.kind, model, epoch, self.n)
            self._save(image, f"epoch-{epoch + 1:04d}")

    def _save(self, image, when):
        if image is not None:
            context = self.bound()
            for name in (f"{self.kind}-{when}.png", f"{self.kind}.png"):
                context.save_picture(context.run.pictures / name, image, self._epoch)


@dataclass(eq=False)
class SampleGrid(_Grid):
    """Saves samples as ``pictures/samples-epoch-0001.png``, the newest as ``samples.png``.

    Every N steps they are ``samples-step-0000500.png`` and so on. The same random codes are
    used every time. A model that cannot sample, and data that cannot be drawn, give no picture.
    Within an epoch, weights are drawn as they are, not their moving averages.

    Args:
        every: epochs from one picture to the next, or ``"500 steps"``; there is one of the
            last epoch anyway.
        n: pictures in the grid.
    """

    kind = "samples"


@dataclass(eq=False)
class ReconstructionGrid(_Grid):
    """Saves validation pictures, each row of them above the row of their reconstructions.

    They are ``pictures/reconstructions-epoch-0001.png`` and so on, the newest
    ``reconstructions.png``. A model that cannot reconstruct gives none.

    Args:
        every: epochs from one picture to the next, or ``"500 steps"``; there is one of the
            last epoch anyway.
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
        every: epochs from one picture to the next, or ``"500 steps"``; there is one of the
            last epoch anyway.
        n: pictures in a row, and in a column.
    """

    n: int = 20
    kind = "manifold"
    most = 100


@dataclass(eq=False)
class LatentScatter(_Grid):
    """Saves where the codes of validation examples lie, coloured by label.

    Of codes of more than 2 dimensions, their first two principal components are drawn, as the
    caption says. They are ``pictures/codes-epoch-0001.png`` and so on, the newest
    ``codes.png``. A model that cannot encode gives none.

    Args:
        every: epochs from one picture to the next, or ``"500 steps"``; there is one of the
            last epoch anyway.
        n: validation examples.
    """

    n: int = 2000
    kind = "codes"


@dataclass(eq=False)
class PosteriorHistograms(_Grid):
    """Saves histograms of the aggregate posterior beside the prior, one per dimension.

    A blue line is of one draw from q(z|x) for each validation example, grey of as many draws from
    the prior; of many dimensions, the 16 in which the posterior's mean varies most are drawn.
    They are ``pictures/posterior-epoch-0001.png`` and so on, the newest ``posterior.png``. A model
    without a posterior or a prior gives none.

    Args:
        every: epochs from one picture to the next, or ``"500 steps"``; there is one of the
            last epoch anyway.
        n: validation examples.
    """

    n: int = 2000
    kind = "posterior"


@dataclass(eq=False)
class Traversals(_Grid):
    """Saves what becomes of the first validation picture as one dimension of its code changes.

    A row for each of the dimensions that say most, the largest KL first, or else the largest
    variance of the codes. It goes from -3 to 3 standard deviations of the prior, or of the codes in
    a model without one. For a model that cannot encode, around a draw of noise, and the first
    dimensions. They are ``pictures/traversals-epoch-0001.png`` and so
    on, the newest ``traversals.png``. A model that cannot decode gives none.

    Args:
        every: epochs from one picture to the next, or ``"500 steps"``; there is one of the
            last epoch anyway.
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
        every: epochs from one picture to the next, or ``"500 steps"``; there is one of the
            last epoch anyway.
        n: pairs.
    """

    n: int = 8
    kind = "interpolations"


@dataclass(eq=False, init=False)
class ViewGrid(_Grid):
    """Saves a view of the model's own; see ``zoo.View``.

    A view of examples shows validation examples, each row of them above what becomes of them.
    They are ``pictures/NAME-epoch-0001.png`` and so on, the newest ``NAME.png``. Points in the
    plane are drawn as a cloud of 1,000.

    Args:
        view: its name.
        every: epochs from one picture to the next, or ``"500 steps"``; there is one of the
            last epoch anyway.
        n: examples, or rows of noise.

    Example:

    >>> callbacks=[zoo.callbacks.ViewGrid("translate", every=5)]
    """

    view: str = ""

    def __init__(self, view: str, every: int | str = 1, n: int = ROWS):
        self.view, self.every, self.n = view, every, n
        self.__post_init__()

    @property
    def kind(self) -> str:  # type: ignore[override]
        """The name of the view, which its pictures have too."""
        return self.view

    def check(self, model, data):
        """Refuse a model that has no such view."""
        find(model.plugin, self.view)
