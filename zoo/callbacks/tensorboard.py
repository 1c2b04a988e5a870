"""TensorBoard events, written without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from zoo.callbacks.base import Callback
from zoo.callbacks.speed import Speed
from zoo.plugin import limits


@dataclass(eq=False)
class TensorBoard(Callback):
    """Writes the run's terms, learning rates, speed, pictures and recipe as events.

    Every epoch ends with these, at the number of training steps made so far, so that
    runs with different batch sizes compare:

    - ``{player}/{term}/train`` and ``{player}/{term}/validation``, and likewise ``loss``:
      a player's terms stand in one group, training beside validation. The Custom
      Scalars page draws the two of one term in one chart.
    - ``learning_rate/{player}``
    - ``speed/examples_per_second``, the very first step (which compiles) left out
    - the images ``samples`` and ``reconstructions``, and those of the recipe's other
      callbacks, where the model makes them

    ``recipe``, as text, is written once. ``keras.callbacks.TensorBoard`` would import
    TensorFlow on every backend; this does on none.

    Args:
        every: epochs from one set of images to the next.
    """

    every: int = 1

    # Keras on JAX would otherwise wait for every step, because of on_train_batch_end.
    async_safe = True

    def __post_init__(self):
        super().__init__()
        limits.check_count(self, "every", 1, where="callbacks.TensorBoard")
        self._writer: Any = None
        self._speed = Speed()
        self._layout_written = False

    def on_train_begin(self, logs=None):
        from tensorboardX import SummaryWriter

        context = self.bound()
        self._writer = SummaryWriter(logdir=str(context.run.events))
        self._layout_written = context.resumed
        if not context.resumed:
            fence = "```"
            while fence in context.recipe_text:
                fence += "`"
            self._writer.add_text("recipe", f"{fence}python\n{context.recipe_text}\n{fence}", 0)
        self._writer.flush()

    def on_epoch_begin(self, epoch, logs=None):
        self._speed.begin()

    def on_train_batch_end(self, batch, logs=None):
        self._speed.step(batch)

    def on_epoch_end(self, epoch, logs=None):
        context, model, writer = self.bound(), self.model, self._writer
        step = epoch * context.steps + self._speed.steps
        # Keras's learning rate callbacks put this among the terms.
        terms = {
            name: value
            for name, value in (logs or {}).items()
            if not name.startswith("learning_rate")
        }
        for name, value in terms.items():
            writer.add_scalar(_tag(name), float(value), step)
        if not self._layout_written:
            self._write_layout(terms)
        for player, optimizer in model.optimizer.by_player.items():
            # A schedule's value at this step, too, is what the property gives.
            rate = float(keras.ops.convert_to_numpy(optimizer.learning_rate))
            writer.add_scalar(f"learning_rate/{player}", rate, step)
        if (speed := self._speed.per_second) is not None:
            writer.add_scalar("speed/examples_per_second", speed * context.batch_size, step)
        if (epoch + 1) % self.every == 0:
            for kind in context.kinds:
                image = context.picture(kind, model, epoch)
                if image is not None:
                    writer.add_image(kind, image, step, dataformats="HWC")
        writer.flush()

    def on_train_end(self, logs=None):
        self.close()

    def close(self):
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _write_layout(self, terms):
        charts = {
            name: ["Multiline", [_tag(name), _tag(f"val_{name}")]]
            for name in terms
            if f"val_{name}" in terms
        }
        if charts:
            self._writer.add_custom_scalars({"training and validation": charts})
        self._layout_written = True


def _tag(name: str) -> str:
    """Keras's name of a logged value as a tag.

    >>> _tag("autoencoder/kl"), _tag("val_loss")
    ('autoencoder/kl/train', 'loss/validation')
    """
    if name.startswith("val_"):
        return f"{name.removeprefix('val_')}/validation"
    return f"{name}/train"
