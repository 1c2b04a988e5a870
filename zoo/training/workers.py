"""Where the processes of one training are, and one of them."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import signal
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple, Protocol

from zoo.errors import shortened
from zoo.runtime import leash, ranks
from zoo.runtime.console import printable


class Look(NamedTuple):
    """What is seen of a process from outside.

    Attributes:
        status: its exit status, negative for a signal; None while it runs.
        seen: the time of its last sign of life; 0 before the first.
        run: the folder of the run that it trains; empty before it has one.
    """

    status: int | None
    seen: float
    run: str


class Worker(Protocol):
    """One of the processes.

    Attributes:
        name: its device, machine and number there, for people.
    """

    name: str

    def look(self) -> Look:
        """What is seen of it now."""

    def signal(self, number: int) -> None:
        """Send it a signal."""

    def told(self) -> str:
        """The last thing that it said, in one line; empty for the first process."""

    def kill(self) -> None:
        """End it at once, with what it has started."""


class Place(Protocol):
    """Where processes are started."""

    def start(self, command: Sequence[str], of: int) -> Sequence[Worker]:
        """Start ``zoo COMMAND`` so often; the first process talks to people."""

    def clear(self) -> None:
        """Remove what was made for those that were started."""


def threads(each: int) -> dict[str, str]:
    """The variables that give a process so many threads, where nobody has set them."""
    names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    return {name: str(each) for name in names if name not in os.environ}


class Here:
    """This machine.

    Args:
        device: the option of each process, by its number.
    """

    def __init__(self, device: Callable[[int], Sequence[str]]):
        self._device = device
        self._meeting: Path | None = None

    def start(self, command: Sequence[str], of: int) -> Sequence[Worker]:
        self._meeting = Path(tempfile.mkdtemp(prefix="zoo-"))
        share = threads(max(1, (os.cpu_count() or 1) // of))
        return [
            Process(
                [*command, *self._device(number)],
                self._meeting,
                share | ranks.environment(number, of, self._meeting),
                number,
                errors=None if number == 0 else tempfile.TemporaryFile(),
            )
            for number in range(of)
        ]

    def clear(self) -> None:
        if self._meeting is not None:
            shutil.rmtree(self._meeting, ignore_errors=True)


class Process:
    """A process on this machine; see ``Worker``.

    Args:
        command: of the zoo, with the option of its device last.
        meeting: the folder that it shares with this process.
        environment: variables besides those of this process.
        number: its place.
        errors, output: files that it writes to. Without the first, it writes where this one does.
    """

    def __init__(
        self,
        command: Sequence[str],
        meeting: Path,
        environment: Mapping[str, str],
        number: int,
        errors: IO | None = None,
        output: IO | None = None,
    ):
        self._meeting, self._number, self._errors = meeting, number, errors
        self._child = leash.start(
            command, errors, output=output, environment=environment, shown=errors is None
        )
        device = command[-1] if command[-2] == "--device" else "its device"
        where = platform.node() or "this machine"
        self.name = f"{device} of {where}, pid {self._child.pid}"

    def look(self) -> Look:
        status, seen, run = self._child.poll(), 0.0, ""
        with contextlib.suppress(OSError):
            seen = ranks.sign(self._meeting, self._number).stat().st_mtime
        with contextlib.suppress(OSError):
            run = (self._meeting / ranks.RUN).read_text(encoding="utf-8")
        return Look(status, seen, run)

    def signal(self, number: int) -> None:
        self._child.send_signal(signal.Signals(number))

    def told(self) -> str:
        if self._errors is None:
            return ""
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return printable(shortened(lines[-1], 300)) if lines else ""

    def kill(self) -> None:
        leash.kill(self._child)
        self._child.wait()
        if self._errors is not None:
            self._errors.close()
