"""Reading files of folders that may be a stranger's."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from zoo.errors import RunFailed, ZooError

_EXPANSION = 64  # bytes of a file for each on disk: a file system may compress, but not so well
_NO_LINK, _NO_WAIT = getattr(os, "O_NOFOLLOW", 0), getattr(os, "O_NONBLOCK", 0)


FULL = (errno.ENOSPC, errno.EDQUOT)
"""What a system says of a disk that is full."""

REMEDIES = {
    errno.ENOSPC: "Make room",
    errno.EDQUOT: "Make room, for your quota is used up, or have it raised",
    errno.EROFS: "Have the file system mounted for writing, since it is read-only now",
    errno.EACCES: "Allow access there (chmod, chown)",
    errno.EPERM: "Allow access there (chmod, chown, chattr)",
    errno.EFBIG: "Allow larger files (ulimit -f), or take a file system that does",
    errno.EIO: "Look at the disk, which fails (dmesg)",
    errno.EMFILE: "Allow more open files (ulimit -n)",
    errno.ENFILE: "Close programs, since the system has too many files open",
}
"""What to do about what a machine lacks, by the number of the system's error; no full stop."""


def keras_home() -> Path:
    """Keras's folder, in which the zoo keeps what outlasts a run; as Keras finds it."""
    return Path(os.path.expanduser(os.environ.get("KERAS_HOME") or "~/.keras"))


def unwritable(path: object, error: OSError, otherwise: str = "") -> ZooError:
    """The error for what cannot be written; a full disk is told alike wherever it is met.

    Args:
        path: what was to be written.
        error: what the system said.
        otherwise: what to do about any other cause than a full disk; by default as ``REMEDIES``.
    """
    told = f"cannot write {path}: {error.strerror or error}"
    if error.errno in FULL:
        return RunFailed(f"{told}. {REMEDIES[error.errno]}, then type the command again")
    remedy = otherwise or REMEDIES.get(error.errno or 0, "")
    return ZooError(f"{told}. {remedy}" if remedy else told)


def read(
    path: Path, most: int | None = None, *, links: bool = False, first: int | None = None
) -> bytes:
    """The content of a file, which takes no more memory than the file has bytes on disk.

    Args:
        path: the file. A pipe is not waited for.
        most: bytes that it may have; None for any number.
        links: whether to follow a link; installers may put links in place of a package's files.
        first: bytes of its start to read alone; None for all of it.

    Raises:
        FileNotFoundError: there is none.
        ZooError: it cannot be read, is no file, is larger, or is all holes.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_WAIT | (0 if links else _NO_LINK))
        with open(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise ZooError(f"{path} is no file")
            if most is not None and found.st_size > most:
                raise ZooError(f"{path} is larger than {most >> 20} MB")
            if _is_all_holes(found):
                raise ZooError(f"{path} is all holes")
            return file.read(found.st_size if first is None else min(first, found.st_size))
    except FileNotFoundError:
        raise
    except (OSError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or repr(error)
        raise ZooError(f"cannot read {path}: {reason}") from error


def _is_all_holes(found: os.stat_result) -> bool:
    """Whether a file claims far more bytes than it has on disk, where the system says."""
    return found.st_size > _EXPANSION * (getattr(found, "st_blocks", 1 << 50) * 512 + 4096)


def within(path: Path, folder: Path) -> bool:
    """Whether a path below a folder stays there when links are followed."""
    return path.resolve().is_relative_to(folder.resolve())
