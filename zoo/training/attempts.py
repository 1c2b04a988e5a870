"""One run of a sweep: what it consists of, and an attempt at it in a child process.

The folders of runs are all that a sweep keeps. Whatever ends, the same sweep finds there what is
finished and what is to be continued.
"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from zoo.errors import shortened
from zoo.runs.sought import Found, Sought
from zoo.runtime import leash
from zoo.runtime.console import printable

POLL = 0.2  # seconds


@dataclass(frozen=True)
class Cell:
    """One run of a sweep.

    Attributes:
        changes: of the recipe, ``key=value``.
        backend: that it trains on.
    """

    changes: tuple[str, ...]
    backend: str


@dataclass(frozen=True)
class Sweep:
    """What the runs of a sweep share.

    Attributes:
        recipe: its file.
        source: its text.
        root: the folder of all runs.
        options: of ``zoo run`` and ``zoo resume``: ``--runs``, and such as ``--data-dir``.
        device: that its runs train on; None for any.
        strict: whether data that stand in for others are refused.
    """

    recipe: Path
    source: bytes
    root: Path
    options: tuple[str, ...] = ()
    device: str | None = None
    strict: bool = False

    def sought(self) -> Sought:
        """The runs that are there."""
        found = Sought(self.root, self.recipe.stem, self.source, self.device, self.strict)
        found.refresh()
        return found


class Attempt:
    """A run of a sweep in a child process: a new one, or one that is continued.

    It ends with this process. Ask ``outcome`` now and then.

    Args:
        sweep: the sweep.
        cell: the run.
        device: an option of the command besides the sweep's, or none.
        inherited: descriptors that the child holds, such as the sweep's lock.
    """

    def __init__(
        self,
        sweep: Sweep,
        cell: Cell,
        device: tuple[str, ...] = (),
        inherited: tuple[int, ...] = (),
    ):
        self._sweep, self._cell, self._options = sweep, cell, (*sweep.options, *device)
        self._inherited = inherited
        self._sought = sweep.sought()
        self._child: subprocess.Popen | None = None
        self._errors: IO | None = None
        self._asked = False

    def outcome(self) -> str | None:
        """None while it lasts; then why the run did not finish, empty where it did."""
        if self._child is None:
            if self._asked:
                return leash.STOPPED
            found = self._find()
            if found is not None and found.finished:
                return ""
            if found is None or found.run.status_of(found.manifest) != "running":
                self._start(found)  # a run that another process trains is waited for
            return None
        if self._child.poll() is None:
            return None
        return self._ended(self._child.returncode)

    def loose(self) -> None:
        """Ask the child to end, with a checkpoint; begin none any more."""
        self._asked = True
        if self._child is not None:
            leash.loose(self._child)

    def stop(self) -> None:
        """Have the child end, with a checkpoint where it has the time for one, and wait."""
        self.loose()
        if self._child is None:
            return
        try:
            self._child.wait(leash.PATIENCE + 1)
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """End the child at once."""
        if self._child is not None:
            leash.kill(self._child)
            self._child.wait()

    def _find(self) -> Found | None:
        self._sought.refresh()
        return self._sought.find(self._cell.changes, self._cell.backend)

    def _start(self, found: Found | None) -> None:
        cell = self._cell
        if found:
            args = ["resume", str(found.run.path.absolute())]
        else:
            args = ["run", str(self._sweep.recipe), *cell.changes]
        args += ["--backend", cell.backend, *self._options]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # for as long as the child lives
        self._child = leash.start(args, self._errors, self._inherited)

    def _ended(self, status: int) -> str:
        assert self._child is not None and self._errors is not None
        leash.kill(self._child)  # what it started, and left
        with contextlib.closing(self._errors) as errors:
            errors.seek(0)
            lines = errors.read().decode("utf-8", "replace").splitlines()
        if status == 0:
            found = self._find()
            if found is not None and found.finished:
                return ""
            return "it finished and is not found: was the recipe changed meanwhile?"
        if self._asked or status in (130, 143, -15):
            return leash.STOPPED
        if status < 0:
            return f"ended by signal {-status}, as for want of memory"
        told = [place for place, line in enumerate(lines) if line.startswith("zoo: ")]
        said = lines[told[-1] :] if told else lines[-1:]
        why = printable(shortened(" ".join(said).removeprefix("zoo: "), 600))
        return why or f"exit status {status}"
