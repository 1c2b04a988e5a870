"""One process at a time trains a run."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator
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
    with _opened(folder) as descriptor:
        if owner := _taken(descriptor):
            raise ZooError(
                f"run {folder.parent.name}/{folder.name} is being trained by {owner}: "
                "one process at a time"
            )
        yield


@contextlib.contextmanager
def awaited(folder: Path, say: Callable[[str], None], what: str) -> Iterator[int]:
    """Hold a folder's lock as soon as no other process does; the folder is made.

    Args:
        folder: the folder.
        say: is told whom is waited for.
        what: is done there, as in ``"a sweep of vae_mnist"``.

    Yields:
        The lock's descriptor. A child that inherits it holds the lock too.

    Raises:
        ZooError: the lock cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    with _opened(folder) as descriptor:
        told = None
        while owner := _taken(descriptor):
            if owner != told:
                say(f"waiting for {what} to end, which {owner} has begun")
                told = owner
            time.sleep(0.2)
        yield descriptor


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    try:
        descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | _FLAGS, 0o666)
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> str:
    """Take a lock and write whose it is; where another has it, say who that is."""
    try:
        _lock(descriptor)
    except BlockingIOError:
        return os.pread(descriptor, 200, 0).decode(errors="replace").strip() or "another process"
    with contextlib.suppress(OSError):  # whose it is, for people
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
    return ""


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
