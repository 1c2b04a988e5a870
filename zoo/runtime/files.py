"""Files of folders that may be a stranger's."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path
from typing import Any

from zoo.errors import ZooError

_EXPANSION = 64  # bytes of a file for each on disk: a file system may compress, but not so well


def regular_file_size(path: Path) -> int:
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


def hdf5(path: Path) -> int:
    """The size of a file of weights, in bytes.

    Raises:
        ZooError: it is none, points out of itself, or would grow when it is read.
    """
    import h5py

    size = regular_file_size(path)
    try:
        with h5py.File(path, "r") as file:
            _walk(file, path, size, depth=0)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise ZooError(f"{path.name} does not load: {excerpt(error)}") from error
    return size


def _walk(group, path, size, depth):
    import h5py

    if depth > 64:
        raise ZooError(f"{path.name} does not load: its groups are too deep")
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ZooError(f"{path.name} does not load: {excerpt(name)} is a link")
        item = group[name]
        if isinstance(item, h5py.Group):
            _walk(item, path, size, depth + 1)
        elif not isinstance(item, h5py.Dataset) or item.is_virtual or item.external:
            raise ZooError(f"{path.name} does not load: {excerpt(name)} is not within the file")
        elif item.dtype.kind not in "biufSV" or item.dtype.hasobject:
            raise ZooError(f"{path.name} does not load: {excerpt(name)} holds no numbers")
        elif item.nbytes > min(size, max(item.id.get_storage_size(), 0)):
            raise ZooError(f"{path.name} does not load: {excerpt(name)} is larger than its bytes")


def npz(path: Path) -> None:
    """Refuse a file of arrays that would grow when it is read."""
    size = regular_file_size(path)
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > size:
                raise ZooError(f"{path.name} would grow when it is read")
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ZooError(f"{path.name} holds no arrays: {excerpt(error)}") from error


def within(path: Path, folder: Path) -> bool:
    """Whether a path below a folder stays there when links are followed."""
    return path.resolve().is_relative_to(folder.resolve())


def excerpt(value: Any) -> str:
    """The start of what a file holds, for a message."""
    text = str(value)
    return text if len(text) <= 80 else f"{text[:76]} ..."
