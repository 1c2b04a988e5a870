"""Processes that end with the one that started them, whatever ends that one.

A child holds one end of a pipe as its stdin. The system closes the other end when the parent
ends, also by SIGKILL; then the child ends itself as by SIGTERM, a training after a checkpoint.
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING

from zoo.runtime import ranks

if TYPE_CHECKING:
    import subprocess

PATIENCE = 30.0
"""Seconds from the request to end to the end by SIGKILL."""

AMONG_OTHERS = 8.0
"""Likewise of a process that trains with others, and may wait for one that is gone."""

STOPPED = "stopped"
"""What is said of a child that was asked to end."""

_VARIABLE = "ZOO_LEASH"  # the pipe's number, by which a child knows it from any other stdin


def start(
    args: Sequence[str],
    errors: IO | None = None,
    inherited: Sequence[int] = (),
    *,
    output: IO | None = None,
    environment: Mapping[str, str] | None = None,
    shown: bool = False,
) -> subprocess.Popen:
    """Start ``zoo ARGS`` so that it ends when this process does, or when ``loose`` is called.

    It is in a session of its own: Ctrl-C reaches this process alone, which decides.

    Args:
        args: the command and its arguments.
        errors: a file that its stderr goes to; by default nowhere.
        inherited: descriptors that it holds too, such as a lock's.
        output: a file that its stdout goes to; by default nowhere.
        environment: variables besides those of this process.
        shown: whether its stdout and stderr are those of this process.
    """
    import subprocess

    reading, writing = os.pipe()
    try:
        number = str(os.fstat(reading).st_ino)
        child = subprocess.Popen(
            [sys.executable, "-m", "zoo", *args],
            stdin=reading,
            stdout=None if shown else subprocess.DEVNULL if output is None else output,
            stderr=None if shown else subprocess.DEVNULL if errors is None else errors,
            env={**os.environ, **(environment or {}), _VARIABLE: number},
            pass_fds=inherited if os.name == "posix" else (),
            start_new_session=True,
        )
    except BaseException:
        os.close(writing)
        raise
    finally:
        os.close(reading)
    child.stdin = open(writing, "wb", buffering=0)  # noqa: SIM115  # for as long as it may live
    return child


def loose(child: subprocess.Popen) -> None:
    """Have a child, and what it has started, end; the training keeps a checkpoint."""
    if child.stdin is not None:
        with contextlib.suppress(OSError):
            child.stdin.close()


def kill(child: subprocess.Popen) -> None:
    """End a child at once, with what it has started."""
    loose(child)
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    else:
        child.kill()


def follow() -> None:
    """In a child: end when the parent has ended; where nobody holds a leash, do nothing."""
    number = os.environ.get(_VARIABLE)
    if not number:
        return
    try:
        found = os.fstat(0)
    except OSError:
        return
    if stat.S_ISFIFO(found.st_mode) and str(found.st_ino) == number:
        patience = AMONG_OTHERS if ranks.MEETING in os.environ else PATIENCE
        threading.Thread(target=_wait, args=(patience,), daemon=True, name="leash").start()


def _wait(patience: float) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1):
            pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(patience)
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
