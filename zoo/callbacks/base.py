"""A Keras callback that knows the run it works for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import keras
import numpy as np

from zoo.datasets import Split
from zoo.errors import ZooError
from zoo.reports import pictures, views
from zoo.reports.latents import Unable
from zoo.runtime.console import say

if TYPE_CHECKING:
    from zoo.datasets import Access, Data
    from zoo.runs.run import Run

POINTS = 1000  # points in the plane are drawn as a cloud, which takes more of them

NEEDS = {
    "samples": "sample",
    "reconstructions": "reconstruct",
    "manifold": "decode",
    "codes": "encode",
    "posterior": "posterior",
    "traversals": "decode",
    "interpolations": "decode",
}
"""The kinds of picture of all models, and the ability that each needs."""

OF_CODES = ("codes", "posterior")  # which can be drawn whatever the examples are


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
        resumed: whether the training goes on from a checkpoint.
        binarized: whether pixels of the validation examples were drawn from the seed.
        settings: those of the experiment, flat, as ``zoo compare`` has them.
        about: what else the manifest says: backend, device, versions.
        doing: what is done beside the training just now, in words, for whoever shows it.
        kinds: the kinds of picture that the run makes, and of how many examples each:
            samples, reconstructions, the model's own views and those that callbacks add.
    """

    run: Run
    recipe_name: str
    recipe_text: str
    data: Data
    batch_size: int
    epochs: int
    steps: int
    validation: Split = None  # type: ignore[assignment]  # filled in below
    say: Callable[[str], None] = say
    resumed: bool = False
    binarized: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    doing: str = field(default="", init=False)
    kinds: dict[str, int] = field(
        default_factory=lambda: {"samples": 64, "reconstructions": 32}, init=False
    )
    _drawn: dict[tuple, np.ndarray | None] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self):
        if self.validation is None:
            self.validation = self.data.validation

    def picture(self, kind: str, model: Any, epoch: int, n: int | None = None) -> np.ndarray | None:
        """What the model makes, drawn; computed once an epoch, whoever asks.

        The same codes every epoch, so that one can watch a sample grow.

        Args:
            kind: one of ``NEEDS``, or a view of the model's own; all but samples and what is
                made of noise are of some validation examples.
            model: the ``GenerativeModel``.
            epoch: the epoch just ended, from 0.
            n: how many examples, pictures a side, rows or pairs; by default as ``kinds`` says.

        Returns:
            An image, uint8 ``(height, width, 3)``, which data that stand in for others
            carry in a caption; None where the model cannot, or such data cannot be drawn.
        """
        n = n or self.kinds[kind]
        key = (kind, epoch, n)
        if key not in self._drawn:
            self._drawn = {k: v for k, v in self._drawn.items() if k[1] == epoch}
            self._drawn[key] = self.draw(kind, model, n)
        return self._drawn[key]

    def draw(self, kind: str, model: Any, n: int) -> np.ndarray | None:
        """As ``picture``, of the model as it is now."""
        image = self._draw(kind, model, n)
        if image is not None and "stand-in" in self.data.name:
            image = pictures.caption(image, self.data.name)
        return image

    def save_picture(self, path: Any, image: np.ndarray, epoch: int) -> None:
        """Write an image of the epoch (from 0) as PNG that says where it comes from."""
        about = {"data": self.data.name, "run": self.run.name, "epoch": epoch + 1}
        pictures.save(path, image, self.run.path, **about)

    def _draw(self, kind: str, model: Any, n: int) -> np.ndarray | None:
        shape, x = self.data.spec.shape, self.validation.x
        plane = shape == (2,)
        if kind not in NEEDS:
            return self._draw_view(kind, model, POINTS if plane else n)
        drawable = plane or pictures.is_picture(shape) or kind in OF_CODES
        if not (drawable and model.can(NEEDS[kind])):
            return None
        if kind == "samples":
            reference = x[:POINTS] if plane and len(x) else None
            return views.samples(model, POINTS if plane else n, reference=reference).image
        try:
            if kind == "reconstructions" or kind in OF_CODES:
                most = POINTS if plane and kind == "reconstructions" else n
                return getattr(views, kind)(model, self.validation.some(most)).image
            if kind == "traversals":
                return views.traversals(model, self.validation, most=n).image
            view = views.manifold if kind == "manifold" else views.interpolations
            return view(model, self.validation, n).image
        except Unable:
            return None

    def _draw_view(self, name, model, n):
        try:
            return views.own(model, name, self.validation, n).image
        except Unable:
            return None


class Callback(keras.callbacks.Callback):
    """A ``keras.callbacks.Callback`` that training tells about the run.

    Attributes:
        context: the run's ``Context``; None until training binds it.
        every_steps: where the callback looks at the model within an epoch, after which number
            of steps of the training it does so, again and again. It is told of every step.
        adds_to_logs: whether it adds numbers to the logs of an epoch. Training tells such
            callbacks first, so that all others see the numbers.
    """

    context: Context | None = None
    every_steps: int | None = None
    adds_to_logs: ClassVar[bool] = False

    def bound(self) -> Context:
        """The context; ``ZooError`` where the callback is used outside a run."""
        if self.context is None:
            raise ZooError(
                f"callbacks.{type(self).__name__} writes into a run: put it in a recipe's "
                "callbacks, or set its `context` before calling fit."
            )
        return self.context

    def check(self, model: Any, data: Data) -> None:
        """Refuse, with a ``ZooError``, a model or data that the callback cannot work for.

        Args:
            model: built, untrained.
            data: as evaluated.
        """

    def prepare(self, data: Data, access: Access, runs_folder: str | None) -> None:
        """Get what the callback needs besides the model, before anything is trained.

        The arguments are as in ``zoo.Metric.prepare``; ``ZooError`` where it cannot be had.
        """

    def next_look(self, made: int) -> int | None:
        """The next number of steps of the training after which the callback looks at the model.

        Args:
            made: steps made so far.

        Returns:
            More than ``made``; None where it looks only where an epoch ends.
        """
        return made + self.every_steps - made % self.every_steps if self.every_steps else None

    def on_look(self, made: int) -> None:
        """Look at the model after so many steps, having been told of them all."""

    def results(self) -> Mapping[str, Any]:
        """What ``results.json`` keeps of it as ``over_training``: ``{name: what was measured}``.

        Of each name ``zoo`` reads ``"unit"`` and ``"final"``, ``{"epoch": ..., "value": ...}`` with
        epochs from 1, and where there is one ``"best"``, likewise.
        """
        return {}

    def on_results(self, results: Mapping[str, Any]) -> None:
        """Training is over, and this is what ``results.json`` has."""

    def close(self) -> None:
        """Let go of what is open. Training calls it however it ends, even by Ctrl-C."""
