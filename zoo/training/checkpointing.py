"""Where in a training its whole state is taken, and where a training takes it up again."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import keras

from zoo.callbacks import Checkpoint
from zoo.engine import state as engine
from zoo.engine.model import GenerativeModel
from zoo.errors import RunFailed, ZooError
from zoo.runs.checkpoints import THIS, Snapshot, Store
from zoo.runs.run import Run
from zoo.training import rewind
from zoo.training.callback_state import States
from zoo.training.chunks import Chunks
from zoo.training.finite import Finite
from zoo.training.signals import Interruption


class Keeper:
    """Writes the checkpoints of a run.

    Args:
        run: the run.
        policy: when to write, and what to keep.
        start: the checkpoint that the training goes on from, or None.
    """

    def __init__(self, run: Run, policy: Checkpoint, store: Store, start: Snapshot | None):
        self.run, self.policy = run, policy
        self._store = store
        self._best: dict[str, Any] | None = start.state.get("best") if start else None
        if start and self._best and self._best["name"] == THIS:
            self._best["name"] = start.name
        self._held: Snapshot | None = None
        self._last = start.name if start else ""
        # a clock that nobody sets; the first checkpoint is due at once
        self._written = time.monotonic() if start else float("-inf")

    def due(self, steps: int, epochs: int | None = None) -> bool:
        """Whether the policy wants a checkpoint now; see ``Interval.over``."""
        return self.policy.due(steps, epochs, time.monotonic() - self._written)

    @property
    def last(self) -> str:
        """Where the last good checkpoint is, in a sentence."""
        if not self._last:
            return "There is no checkpoint yet."
        return f"The last good checkpoint is {self._store.folder / self._last}."

    def hold(self, taken: Snapshot) -> None:
        """Keep a state in memory, to be written if the training ends before the next one."""
        self._held = taken

    def better(self, logs: Mapping[str, float]) -> bool:
        """Whether an epoch is the best so far, by what the policy goes by; notes it if it is."""
        policy = self.policy
        if policy.best is None:
            return False
        if policy.best not in logs:
            raise RunFailed(
                f"callbacks.Checkpoint: best is {policy.best!r}, and an epoch ends with "
                f"{', '.join(sorted(logs))}"
            )
        value = float(logs[policy.best])
        if not policy.better(value, self._best["value"] if self._best else None):
            return False
        self._best = {"by": policy.best, "value": value, "name": THIS}
        return True

    def write(self) -> None:
        """Write the state that is held, unless it is written.

        Raises:
            RunFailed: it cannot be written.
        """
        if self._held is None:
            return
        spare = [self._best["name"]] if self._best else []
        taken = Snapshot(self._held.arrays, {**self._held.state, "best": self._best})
        try:
            rewind.written_so_far(self.run)
            self._last = self._store.write(taken, keep=self.policy.keep, spare=spare)
        except OSError as error:
            raise RunFailed(
                f"run {self.run.name}: cannot write a checkpoint below {self._store.folder}: "
                f"{error.strerror or error}. {self.last} Make room, then: zoo resume {self.run.id}"
            ) from error
        if self._best and self._best["name"] == THIS:
            self._best["name"] = self._last
        self._held, self._written = None, time.monotonic()
        self.run.update(epoch=taken.state["epoch"])

    def write_what_is_held(self) -> None:
        """As ``write``, where something else has failed, which is what to tell of."""
        with contextlib.suppress(ZooError):
            self.write()


class Durable(keras.callbacks.CallbackList):
    """Keras's list of callbacks, which takes the whole state of a training and gives it back.

    A state is taken at the end of an epoch, when all callbacks have had theirs, or before a
    step. There, too, a training that goes on is given it: one that was taken at the end of an
    epoch when all callbacks have begun, and one before a step in that epoch before that step.

    Args:
        callbacks: of Keras and the zoo.
        model: compiled.
        epochs: to be trained in all.
        steps: of an epoch.
        chunks: what the steps are made from, where several are made in one go; else None.
        keeper: writes checkpoints.
        interruption: tells when to stop.
        start: the checkpoint to go on from, or None.
        new_rates: players whose optimizers have other learning rates than in the checkpoint.
        about: what each state says besides.
        say: tells a person one line.
    """

    def __init__(
        self,
        callbacks: Sequence[keras.callbacks.Callback],
        *,
        model: GenerativeModel,
        epochs: int,
        steps: int,
        chunks: Chunks | None,
        keeper: Keeper,
        interruption: Interruption,
        start: Snapshot | None,
        new_rates: Collection[str],
        about: Callable[[], Mapping[str, Any]],
        say: Callable[[str], None],
    ):
        self._finite = Finite()
        super().__init__(
            [self._finite, *callbacks],
            add_history=True,
            model=model,
            epochs=epochs,
            steps=steps,
            verbose=0,
        )
        self._keeper, self._interruption = keeper, interruption
        self._start, self._new_rates = start, new_rates
        self._about, self._say = about, say
        self._chunks = chunks
        if chunks:
            self._async_train = False  # what is told of is over already
        self._epoch = 0
        self._offset = start.state["step"] if start else 0
        self._averaging = [c for c in callbacks if isinstance(c, keras.callbacks.SwapEMAWeights)]

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._states = States(self.callbacks)
        self._warn()
        if self._start and not self._offset:
            self._restore(self._start)

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._step = epoch, self._offset
        super().on_epoch_begin(epoch, logs)

    def on_train_batch_begin(self, batch, logs=None):
        step = self._step
        if step >= self.params["steps"]:
            # Keras does not know that the epoch was begun before, nor how many steps are made in
            # one go. On TensorFlow, a step without data would fail, but count all the same.
            raise StopIteration
        self._stop_if_broken()
        super().on_train_batch_begin(step, logs)
        self._began = time.perf_counter()
        if self._start:
            if self._offset:
                self._restore(self._start)
            self._start = None
            return
        made = self._epoch * self.params["steps"] + step
        due = step and self._keeper.due(made)
        if due or self._interruption.asked:
            self._flush()
            self._stop_if_broken()
            if step:  # else the state is that of the end of the epoch before, which is held
                self._keeper.hold(self._taken(self._epoch, step))
            self._keeper.write()
        if self._interruption.asked:
            self._interruption.end()

    def on_train_batch_end(self, batch, logs=None):
        if self._chunks is None:
            super().on_train_batch_end(self._step, logs)
            self._step += 1
            return
        self._chunks.took(batch, time.perf_counter() - self._began)
        for i in range(self._chunks.length(batch)):
            if i:
                super().on_train_batch_begin(self._step)
            super().on_train_batch_end(self._step, {name: own[i] for name, own in logs.items()})
            self._step += 1

    def on_epoch_end(self, epoch, logs=None):
        self._flush()
        self._stop_if_broken(logs)
        self._offset = 0
        # An average is swapped in by one of the callbacks, and at the end for good.
        weights = engine.weights(self.model) if self._averaging else {}
        try:
            super().on_epoch_end(epoch, logs)
        finally:  # also where a callback breaks: the epoch is trained
            self._keeper.hold(self._taken(epoch + 1, 0, weights))
        ends = self._model.stop_training or epoch + 1 == self.params["epochs"]
        if ends:
            for swap in self._averaging:  # Keras does not know the last epoch where one stops early
                swap.on_epoch_begin(epoch + 1)
        best = self._keeper.better(logs or {})
        made = (epoch + 1) * self.params["steps"]
        due = self._keeper.due(made, epoch + 1)
        if due or best or ends or self._interruption.asked:
            self._keeper.write()
        if self._interruption.asked and not ends:
            self._interruption.end()

    def _taken(self, epoch: int, step: int, weights: Mapping = {}) -> Snapshot:
        states, arrays = self._states.taken()
        arrays = {**engine.captured(self.model), **weights, **arrays}
        state = {
            "epoch": epoch,
            "step": step,
            "stopped": bool(self._model.stop_training),
            "callbacks": states,
            **self._about(),
        }
        return Snapshot(arrays, state)

    def _restore(self, start: Snapshot) -> None:
        engine.restore(self.model, start.arrays, self._new_rates)
        self._states.restore(start.state["callbacks"], start.arrays)

    def _flush(self) -> None:
        """Wait until callbacks have heard of every step made."""
        if self._async_train:
            self._flush_futures()

    def _stop_if_broken(self, logs: Mapping[str, float] | None = None) -> None:
        if self._finite.broken:
            self._flush()  # threads may tell of a step before they tell of the one before it
            step = self._finite.broken[0]
            self._fail(
                f"{self._finite.blamed()} not finite at step {step + 1} of epoch {self._epoch + 1}",
                "A smaller learning rate may help, or --on-nan skip",
            )
        if (logs or {}).get("skipped", 0) >= self.params["steps"]:
            self._fail(f"every step of epoch {self._epoch + 1} was skipped", "")

    def _fail(self, what: str, advice: str) -> None:
        self._keeper.write()  # what is held is of before
        run = self._keeper.run
        raise RunFailed(f"run {run.name}: {what}. {self._keeper.last} {advice}".strip())

    def _warn(self) -> None:
        for kind, why in self._states.lost().items():
            self._say(
                f"callback {kind}: what it remembers is not in checkpoints ({why}); it begins anew "
                "where the run is resumed"
            )
