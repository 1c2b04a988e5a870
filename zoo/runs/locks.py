"""One process at a time trains a run."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from zoo.errors import ZooError
from zoo.runtime.files import unwritable

try:
    import fcntl
except ImportError:  # Windows has no such locks: there, two processes are not kept apart
    fcntl = None  # type: ignore[assignment]  # a module elsewhere

FILE = "lock"
# of whoever's folder: a link is not followed and a pipe not waited for
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a run's lock; the system lets go of it when the process ends, however it does.

    Raises:
        ZooError: another process holds it, or it cannot be made.
    """
    try:
        descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | _FLAGS, 0o666)
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        try:
            _lock(descriptor)
        except BlockingIOError as error:
            owner = os.pread(descriptor, 200, 0).decode(errors="replace").strip()
            raise ZooError(
                f"run {folder.parent.name}/{folder.name} is being trained by {owner or 'another'}: "
                "one process at a time"
            ) from error
        with contextlib.suppress(OSError):  # whose it is, for people
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def is_held(folder: Path) -> bool:
    """Whether some process trains the run now; where there are no locks, it may."""
    if fcntl is None:
        return True
    try:
        descriptor = os.open(folder / FILE, os.O_RDWR | _FLAGS)
    except OSError:
        return False
    try:
        _lock(descriptor)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _lock(descriptor: int) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # a file system without locks
        return
