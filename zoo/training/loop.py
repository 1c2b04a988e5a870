"""The training loop: steps in chunks, callbacks, checkpoints, validation."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from zoo.datasets import Batches
from zoo.engine import state as engine
from zoo.engine.backends import backend
from zoo.engine.distributed import decided
from zoo.engine.distributed.reduction import take_over
from zoo.engine.model import GenerativeModel
from zoo.errors import RunFailed
from zoo.runs.checkpoints import Snapshot
from zoo.training import finite
from zoo.training.callback_state import States
from zoo.training.checkpointing import CheckpointWriter
from zoo.training.chunks import Chunk, Chunks, InOrder
from zoo.training.evaluation import evaluated
from zoo.training.signals import Interruption


class Loop:
    """Trains a model, epoch by epoch.

    A chunk is started before callbacks hear of the one before it, so that a device computes
    while they work. Where somebody looks at the model (a checkpoint, a picture, a signal, the
    end of an epoch), all steps started are told first, and the model's variables hold the state
    after them.

    Args:
        model: compiled.
        batches: of an epoch.
        callbacks: of Keras and the zoo.
        epochs: to be trained in all.
        first: the epoch to begin with, from 0.
        validation: batches to evaluate after each epoch; None where there are none.
        checkpoints: writes checkpoints.
        interruption: knows whether there was a signal.
        start: the checkpoint to continue from, or None.
        new_rates: players whose optimizers have other learning rates than in the checkpoint.
        about: what each checkpoint says besides.
        say: tells a person one line.
    """

    def __init__(
        self,
        model: GenerativeModel,
        batches: Batches,
        callbacks: Sequence[keras.callbacks.Callback],
        *,
        epochs: int,
        first: int,
        validation: Batches | None,
        checkpoints: CheckpointWriter,
        interruption: Interruption,
        start: Snapshot | None,
        new_rates: Collection[str],
        about: Callable[[], Mapping[str, Any]],
        say: Callable[[str], None],
    ):
        self._model, self._validation = model, validation
        self._epochs, self._first, self._steps_per_epoch = epochs, first, len(batches)
        self._checkpoints, self._interruption = checkpoints, interruption
        self._start, self._new_rates, self._about, self._say = start, new_rates, about, say
        self._names = model.metrics_names
        self._chunks = Chunks(batches, callbacks)
        self._steps = backend.Steps(model, self._chunks.rows, self._chunks.most)
        self._averaging = [c for c in callbacks if isinstance(c, keras.callbacks.SwapEMAWeights)]
        self._callbacks = keras.callbacks.CallbackList(
            [InOrder(), *callbacks],
            add_history=True,
            model=model,
            epochs=epochs,
            steps=self._steps_per_epoch,
            verbose=0,
        )

    def run(self) -> None:
        """Train. The model's ``history`` holds the logs of the epochs.

        Raises:
            RunFailed: a term is not finite, or a checkpoint cannot be written.
            KeyboardInterrupt: a signal, after a checkpoint.
        """
        model = self._model
        model.stop_training = False
        self._callbacks.on_train_begin()
        self._states = States(self._callbacks.callbacks)
        self._warn()
        if self._start and not self._start.state["step"]:
            self._restore()
        logs: dict[str, float] = {}
        try:
            for epoch in range(self._first, self._epochs):
                logs = self._epoch(epoch)
                self._end_epoch(epoch, logs)
                if model.stop_training:
                    break
        except (Exception, KeyboardInterrupt):
            self._checkpoints.write_what_is_held()
            raise
        finally:
            self._steps.sync()
            model.optimizer.finalize_variable_values(model.trainable_variables)
        self._callbacks.on_train_end(logs)

    def _epoch(self, epoch: int) -> dict[str, float]:
        """Make the steps of an epoch, evaluate, and return the logs of both."""
        model, first = self._model, 0
        model.reset_metrics()
        self._callbacks.on_epoch_begin(epoch)
        if self._start and self._start.state["step"]:  # it was taken within this epoch
            first = self._start.state["step"]
            self._restore()
        take_over(model)
        row, waiting = np.zeros(0), None
        for chunk in self._chunks.of_epoch(epoch, first):
            if self._checkpoint_due(epoch, chunk.first):
                if waiting:
                    row, waiting = self._tell(epoch, *waiting), None
                self._checkpoint(epoch, chunk.first)
            if model.stop_training:
                break
            if self._chunks.per_step_callbacks:
                self._callbacks.on_train_batch_begin(chunk.first)
            began = time.perf_counter()
            read = self._steps.start(chunk.data, chunk.share)
            started = chunk, read, time.perf_counter() - began
            if waiting:
                row = self._tell(epoch, *waiting)
            waiting = started
            if chunk.looked_at:
                self._steps.sync()
                row, waiting = self._tell(epoch, *waiting), None
                made = epoch * self._steps_per_epoch + chunk.first + chunk.steps
                for callback in self._chunks.looking(made):
                    callback.on_look(made)
                take_over(model)
        if waiting:
            row = self._tell(epoch, *waiting)
        self._steps.sync()
        logs = {name: float(value) for name, value in zip(self._names, row, strict=True)}
        if logs.get("skipped", 0) >= self._steps_per_epoch:
            self._fail(f"every step of epoch {epoch + 1} was skipped")
        if self._validation is None:
            return logs
        found = evaluated(model, self._validation, self._callbacks)
        return logs | {f"val_{name}": value for name, value in found.items()}

    def _tell(self, epoch: int, chunk: Chunk, read: Callable, starting: float) -> np.ndarray:
        """Wait for a chunk, tell callbacks of its steps, and return the last one's logs."""
        began = time.perf_counter()
        rows = read()
        # a device may work on it only in the first part, or only in the second
        self._chunks.took(chunk, starting + time.perf_counter() - began)
        for i, row in enumerate(rows):
            if not self._chunks.per_step_callbacks:  # else they are told before the step
                self._callbacks.on_train_batch_begin(chunk.first + i)
            logs = dict(zip(self._names, row, strict=True))
            self._callbacks.on_train_batch_end(chunk.first + i, logs)
        broken = finite.first_broken(rows)
        if broken is not None:
            what = finite.blamed(self._model, self._names, rows[broken])
            self._fail(
                f"{what} not finite at step {chunk.first + broken + 1} of epoch {epoch + 1}",
                finite.in_batch(self._chunks.batches, chunk.first + broken)
                or "A smaller learning rate may help, or --on-nan skip",
            )
        return rows[-1]

    def _checkpoint_due(self, epoch: int, step: int) -> bool:
        made = epoch * self._steps_per_epoch + step
        due = step > 0 and self._start is None and self._checkpoints.due(made)
        self._start = None  # it was taken before this step: there is no need to take it again
        return self._agreed(bool(due))

    def _agreed(self, due: bool = False) -> bool:
        """Whether to write a checkpoint, the same in all processes that train together."""
        due, self._model.stop_training = map(bool, decided(due, self._model.stop_training))
        return self._interruption.agree() or due

    def _checkpoint(self, epoch: int, step: int) -> None:
        """Take and write the state before a step; end the training if there was a signal."""
        self._steps.sync()
        if step:  # else the state is that of the end of the epoch before, which is held
            self._checkpoints.hold(self._taken(epoch, step))
        self._checkpoints.write()
        if self._interruption.asked:
            self._interruption.end()

    def _end_epoch(self, epoch: int, logs: dict[str, float]) -> None:
        # An average is swapped in by one of the callbacks, and at the end for good.
        weights = engine.weights(self._model) if self._averaging else {}
        try:
            self._callbacks.on_epoch_end(epoch, logs)
        finally:  # also where a callback fails: the epoch is trained
            self._checkpoints.hold(self._taken(epoch + 1, 0, weights))
        self._agreed()
        ends = self._model.stop_training or epoch + 1 == self._epochs
        if ends:
            for swap in self._averaging:  # Keras does not know the last epoch where one stops early
                swap.on_epoch_begin(epoch + 1)
        best = self._checkpoints.better(logs)
        due = self._checkpoints.due((epoch + 1) * self._steps_per_epoch, epoch + 1)
        if due or best or ends or self._interruption.asked:
            self._checkpoints.write()
        if self._interruption.asked and not ends:
            self._interruption.end()

    def _taken(self, epoch: int, step: int, weights: Mapping = {}) -> Snapshot:
        states, arrays = self._states.taken()
        arrays = {**engine.captured(self._model), **weights, **arrays}
        state = {
            "epoch": epoch,
            "step": step,
            "stopped": bool(self._model.stop_training),
            "callbacks": states,
            **self._about(),
        }
        return Snapshot(arrays, state)

    def _restore(self) -> None:
        assert self._start is not None
        engine.restore(self._model, self._start.arrays, self._new_rates)
        self._states.restore(self._start.state["callbacks"], self._start.arrays)

    def _fail(self, what: str, advice: str = "") -> None:
        self._checkpoints.write()  # what is held is of before
        run = self._checkpoints.run
        raise RunFailed(f"run {run.name}: {what}. {self._checkpoints.last} {advice}".strip())

    def _warn(self) -> None:
        for callback in self._chunks.per_step_callbacks:
            self._say(
                "steps are made one at a time, which takes longer, for callback "
                f"{type(callback).__name__}: it is told of every step. Where it needs no more than "
                "the terms, async_safe = True in its class says so"
            )
        for kind, why in self._states.lost().items():
            self._say(
                f"callback {kind}: what it remembers is not in checkpoints ({why}); it starts "
                "afresh where the run is resumed"
            )
