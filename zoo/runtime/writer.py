"""Writes every file of a run: whole or not at all, and never through a planted link.

A file is written beside its place under a random name, synced and moved into place. Folders are
held by handles, so that a link that somebody plants meanwhile leads nowhere.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such locks: there, leftovers stay
    fcntl = None  # type: ignore[assignment]  # a module elsewhere

_CHUNK = 1 << 24  # bytes hashed and written at a time
_TEMPORARY = re.compile(r"\.zoo-[0-9a-f]{16}\.(tmp|dir)")
_AGE = 60.0  # seconds after which an unlocked temporary file is a leftover
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_OPEN = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
FOLDER = _OPEN | _FLAGS  # how a folder is opened through which nothing may lead elsewhere


def write(path: Path, content: bytes | Iterable[bytes | memoryview], below: Path | None) -> str:
    """Write a file whole or not at all; a reader sees the old file or the new one.

    Args:
        path: the file; missing folders are made. A link in its place is replaced, not followed.
        content: its bytes, whole or in parts.
        below: a folder that contains the path, such as a run's. No link below it is followed.
            None for a path that a person chose, whose folders may be links.

    Returns:
        The SHA-256 of the content, hexadecimal.

    Raises:
        OSError: it cannot be written, or a folder of it is a link; the old file is as it was.
    """
    with folder(path.parent, below) as inside:
        sweep(inside)
        temporary = new_name("tmp")
        try:
            digest = create(inside, temporary, [content] if isinstance(content, bytes) else content)
            os.replace(temporary, path.name, src_dir_fd=inside, dst_dir_fd=inside)
        except BaseException as error:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=inside)
            if isinstance(error, OSError):  # for messages: nobody knows the temporary name
                error.filename, error.filename2 = os.fspath(path), None
            raise
        synced(inside)
        return digest


@contextlib.contextmanager
def folder(path: Path, below: Path | None) -> Iterator[int]:
    """A folder's handle, for as long as the block runs; a missing folder is made.

    Args:
        path: the folder.
        below: as for ``write``.

    Raises:
        OSError: it cannot be opened or made, or a part of it below ``below`` is a link.
    """
    trusted = path if below is None else below
    if below is None:
        try:
            trusted.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:  # there is a file of that name
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from error
    handle = os.open(trusted, _OPEN)
    try:
        for part in path.relative_to(trusted).parts:
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, dir_fd=handle)
            inner = os.open(part, FOLDER, dir_fd=handle)
            os.close(handle)
            handle = inner
        yield handle
    finally:
        os.close(handle)


def create(inside: int, name: str, parts: Iterable[bytes | memoryview]) -> str:
    """Write a file that must not exist yet, sync it and return its SHA-256.

    Args:
        inside: handle of the folder.
        name: of the file.
        parts: the content.

    Raises:
        OSError: the name is taken, by a link too, or it cannot be written.
    """
    digest = hashlib.sha256()
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o666, dir_fd=inside)
    try:
        if fcntl is not None:
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for part in parts:
            for start in range(0, len(part), _CHUNK):
                chunk = memoryview(part)[start : start + _CHUNK]
                digest.update(chunk)
                while chunk:
                    chunk = chunk[os.write(descriptor, chunk) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return digest.hexdigest()


def new_name(kind: str) -> str:
    """A temporary name that nobody can guess; ``kind`` is "tmp" for a file, "dir" for a folder."""
    return f".zoo-{os.urandom(8).hex()}.{kind}"


def synced(handle: int) -> None:
    """Have the disk hold what an open file or folder holds."""
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF):  # a file system without it for folders
            raise


def remove_folder(inside: int, name: str) -> None:
    """Remove a folder of files, or a link in its place; what cannot be removed stays."""
    try:
        try:
            handle = os.open(name, FOLDER, dir_fd=inside)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                os.unlink(name, dir_fd=inside)
            return
        try:
            for entry in os.listdir(handle):
                os.unlink(entry, dir_fd=handle)
        finally:
            os.close(handle)
        os.rmdir(name, dir_fd=inside)
    except OSError:
        return


def sweep(inside: int, *, mine: bool = False) -> None:
    """Remove temporary files that killed writers left in a folder.

    Args:
        inside: handle of the folder.
        mine: whether no other process writes there, so that every temporary file is a leftover.
    """
    for name in os.listdir(inside):
        if not _TEMPORARY.fullmatch(name):
            continue
        if name.endswith(".dir"):
            if mine:
                remove_folder(inside, name)
        elif mine or _is_leftover(inside, name):
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=inside)


def _is_leftover(inside: int, name: str) -> bool:
    """Whether a temporary file is old and no living process holds its lock."""
    if fcntl is None:
        return False
    try:
        found = os.stat(name, dir_fd=inside, follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode) or abs(time.time() - found.st_mtime) < _AGE:
            return False
        descriptor = os.open(name, os.O_RDONLY | _FLAGS | os.O_NONBLOCK, dir_fd=inside)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
