"""When the whole state of a training is taken, and when it is written."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import Any

from zoo.callbacks import Checkpoint
from zoo.errors import RunFailed, ZooError
from zoo.runs.checkpoints import THIS, Snapshot, Store
from zoo.runs.run import Run
from zoo.runtime.files import REMEDIES
from zoo.training import rewind


class CheckpointWriter:
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
            remedy = REMEDIES.get(error.errno or 0)
            then = f"{remedy}, then" if remedy else "To continue"
            raise RunFailed(
                f"run {self.run.name}: cannot write a checkpoint below {self._store.folder}: "
                f"{error.strerror or error}. {self.last} {then}: zoo resume {self.run.id}"
            ) from error
        if self._best and self._best["name"] == THIS:
            self._best["name"] = self._last
        self._held, self._written = None, time.monotonic()
        self.run.update(epoch=taken.state["epoch"])

    def write_what_is_held(self) -> None:
        """As ``write``, where something else has failed, which is what to tell of."""
        with contextlib.suppress(ZooError):
            self.write()
