"""The doors of a ``GenerativeModel``: what comes in by them is looked at first."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import keras

from zoo.errors import CodeFailed, shortened
from zoo.plugin.border import Border
from zoo.plugin.habits import Habits
from zoo.runtime.blame import blaming
from zoo.runtime.keras import pinned

if TYPE_CHECKING:
    from zoo.plugin.model import DataSpec, Model


class Entrance(Habits):
    """Keras's ``fit`` and the like, behind ``zoo.plugin.border``.

    Attributes:
        of_run: whether a recipe made the model: its losses and abilities then do not depend on
            Keras's settings of the process.
        class_names: names of the classes of the data, for pictures; empty where none are known.
    """

    plugin: Model
    data: DataSpec
    of_run = False
    class_names: tuple[str, ...] = ()
    _trains = True

    @property
    def border(self) -> Border:
        """The checks of what the model is given."""
        return self.__dict__.setdefault("_border", Border(self.plugin, self.data))

    def settled(self) -> contextlib.AbstractContextManager:
        """Where the model's code runs: with the settings of a run, for the model of one."""
        return pinned() if self.of_run else contextlib.nullcontext()

    def adapt(self, x, labels=None):
        """Set statistics of training examples, as ``fit`` takes them; see ``zoo.Model.adapt``."""
        x, labels = self.border.enter("adapt", x, labels)
        batch, rng = self.batch_of((x, labels)), self._rng("adapt", 0)
        with blaming(f"{self.where}.adapt"):
            self.plugin.adapt(dict(self.networks.items()), batch, rng)

    def fit(self, x=None, y=None, *args, **options):
        x, y = self._enter("fit", x, y)
        held_out = options.get("validation_data")
        if held_out is not None:  # looked at now, and not after the first epoch
            first, *others = keras.utils.unpack_x_y_sample_weight(held_out)
            first, others[0] = self._enter("fit, validation_data", first, others[0])
            options["validation_data"] = (first, *others) if others[0] is not None else first
        with self._without_labels("fit"):
            return super().fit(x, y, *args, **options)  # type: ignore[misc]  # of Keras's trainer

    def evaluate(self, x=None, y=None, *args, **options):
        if not options.get("_use_cached_eval_dataset"):  # else fit calls, and has looked at it
            x, y = self._enter("evaluate", x, y)
        self._trains = False
        try:
            with self._without_labels("evaluate"):
                return super().evaluate(x, y, *args, **options)  # type: ignore[misc]
        finally:
            self._trains = True

    def reset_metrics(self):  # at the start of every epoch, in Keras's loop and the zoo's
        if self._trains:
            self.refuse_other_weights()
        super().reset_metrics()  # type: ignore[misc]

    def train_on_batch(self, x, y=None, *args, **options):
        x, y = self._enter("train_on_batch", x, y)
        self.refuse_other_weights()
        with self._without_labels("train_on_batch"):
            return super().train_on_batch(x, y, *args, **options)  # type: ignore[misc]

    def test_on_batch(self, x, y=None, *args, **options):
        x, y = self._enter("test_on_batch", x, y)
        with self._without_labels("test_on_batch"):
            return super().test_on_batch(x, y, *args, **options)  # type: ignore[misc]

    @contextlib.contextmanager
    def _without_labels(self, method):
        """Say that labels were left out, where a loss fails that may have needed them."""
        try:
            yield
        except (AttributeError, TypeError, ValueError) as error:
            if self.border.labelled or not self.data.classes:
                raise
            raise CodeFailed(
                f"{type(self.plugin).__name__}.{method} was given no labels, and the model was "
                f"built for data with {self.data.classes:,} classes. If a loss needs labels, give "
                f"them, as in {method}(x, labels); it failed with {shortened(str(error), 300)}"
            ) from error

    def _enter(self, method, x, y):
        # what skips steps that are not finite takes examples that are not, and counts them; data of
        # a run are checked when they are loaded, and what is found later is told in its results
        finite = not (self.of_run or getattr(self, "_skip_nonfinite", False))
        return self.border.enter(method, x, y, finite=finite)
