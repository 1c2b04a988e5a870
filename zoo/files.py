"""Files of folders that may be a stranger's."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from zoo.errors import ZooError

_EXPANSION = 64  # bytes of a file for each on disk: a file system may compress, but not so well


def solid(path: Path) -> int:
    """The size of a file, in bytes.

    Raises:
        ZooError: it is no file, or one of holes.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise ZooError(f"cannot read {path}: {error.strerror or error}") from error
    if not stat.S_ISREG(found.st_mode):
        raise ZooError(f"{path} is no file")
    if is_all_holes(found):
        raise ZooError(f"{path} is all holes")
    return found.st_size


def is_all_holes(found: os.stat_result) -> bool:
    """Whether a file claims far more bytes than it has on disk, where the system tells."""
    return found.st_size > _EXPANSION * (getattr(found, "st_blocks", 1 << 50) * 512 + 4096)
