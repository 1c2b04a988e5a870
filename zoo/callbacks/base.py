"""A Keras callback that knows the run it works for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from zoo import pictures
from zoo.errors import ZooError

if TYPE_CHECKING:
    from zoo.datasets import Data, Split
    from zoo.runs import Run

PICTURES = {"samples": 64, "reconstructions": 32}
"""The kinds of picture that ``Context.picture`` makes, and of how many examples."""

POINTS = 1000  # points in the plane are drawn as a cloud, which takes more of them
SEED = 0  # the same codes every epoch, so that one can watch a sample grow


def _say(text: str) -> None:
    print(text, file=sys.stderr)


@dataclass
class Context:
    """What callbacks may know of the run.

    Attributes:
        run: the run's folder.
        recipe_name: the recipe's name, such as ``"vae_mnist"``.
        recipe_text: the recipe's source.
        data: the data, with its name and spec.
        batch_size: examples that one training step takes, those of repeated moves included.
        epochs: epochs that the training is to have in all.
        steps: steps an epoch has.
        validation: the examples validated on, binarized if the dataset binarizes;
            by default those of ``data``.
        say: tells a person one line.
    """

    run: Run
    recipe_name: str
    recipe_text: str
    data: Data
    batch_size: int
    epochs: int
    steps: int
    validation: Split = None  # type: ignore[assignment]  # filled in below
    say: Callable[[str], None] = _say
    _drawn: dict[tuple, np.ndarray | None] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self):
        if self.validation is None:
            self.validation = self.data.validation

    def picture(self, kind: str, model: Any, epoch: int, n: int | None = None) -> np.ndarray | None:
        """What the model makes, drawn; computed once an epoch, whoever asks.

        Args:
            kind: ``"samples"``, or ``"reconstructions"`` of the first validation examples.
            model: the ``GenerativeModel``.
            epoch: the epoch just ended, from 0.
            n: how many examples; by default as ``PICTURES`` says.

        Returns:
            An image, uint8 ``(height, width, 3)``, which data that stand in for others
            carry in a caption; None where the model cannot, or such data cannot be drawn.
        """
        n = n or PICTURES[kind]
        key = (kind, epoch, n)
        if key not in self._drawn:
            self._drawn = {k: v for k, v in self._drawn.items() if k[1] == epoch}
            image = {"samples": self._samples, "reconstructions": self._reconstructions}[kind](
                model, n
            )
            if image is not None and "stand-in" in self.data.name:
                image = pictures.caption(image, self.data.name)
            self._drawn[key] = image
        return self._drawn[key]

    def save_picture(self, path: Any, image: np.ndarray, epoch: int) -> None:
        """Write an image of the epoch (from 0) as PNG that says where it comes from."""
        pictures.save(path, image, data=self.data.name, run=self.run.name, epoch=epoch + 1)

    def _samples(self, model: Any, n: int) -> np.ndarray | None:
        if not model.can("sample"):
            return None
        if pictures.is_picture(self.data.spec.shape):
            return pictures.grid(model.sample(n, seed=SEED))
        if self.data.spec.shape == (2,):
            reference = self.validation.x[:POINTS] if len(self.validation) else None
            return pictures.scatter(model.sample(POINTS, seed=SEED), reference)
        return None

    def _reconstructions(self, model: Any, n: int) -> np.ndarray | None:
        plane = self.data.spec.shape == (2,)
        if not (plane or pictures.is_picture(self.data.spec.shape)):
            return None
        x, y = self.validation.x, self.validation.y
        n = min(POINTS if plane else n, len(x))
        if not n or not model.can("reconstruct"):
            return None
        again = model.reconstruct(x[:n], labels=None if y is None else y[:n])
        return pictures.scatter(again, x[:n]) if plane else pictures.pairs(x[:n], again)


class Callback(keras.callbacks.Callback):
    """A ``keras.callbacks.Callback`` that training tells about the run.

    Attributes:
        context: the run's ``Context``; None until training binds it.
    """

    context: Context | None = None

    def bound(self) -> Context:
        """The context; ``ZooError`` where the callback is used outside a run."""
        if self.context is None:
            raise ZooError(
                f"callbacks.{type(self).__name__} writes into a run: put it in a recipe's "
                "callbacks, or set its `context` before calling fit."
            )
        return self.context

    def close(self) -> None:
        """Let go of what is open. Training calls it however it ends, even by Ctrl-C."""
