"""Reading files that others wrote: what is damaged, or is something else, is named."""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError
from zoo.plugin.dataset import Access
from zoo.runtime import memory
from zoo.runtime.console import sized

if TYPE_CHECKING:
    import numpy as np


MOST_ENTRIES = 10_000
"""Arrays in an archive."""


class Damaged(ValueError):
    """A file that cannot be read or is not what it should be, and why."""

    def __init__(self, path: Path, reason: str):
        super().__init__(reason)
        self.path = path

    def told(self, what: str) -> ZooError:
        """The error for a person who has this file in place of a published one."""
        return ZooError(
            f"{self.path} is not used: {self}. It is left as it is: move it away to have {what} "
            "downloaded, or name a folder that holds a good copy with --data-dir or ZOO_DATA."
        )


def attempt(reader: Callable[[Path], Any], path: Path) -> Any:
    """What a reader makes of a file; ``Damaged`` where it raises anything."""
    try:
        check_regular(path)
        return reader(path)
    except Exception as error:  # damaged archives make their readers raise nearly anything
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise Damaged(path, reason) from None


def check_regular(path: Path) -> None:
    """Raise ``ValueError`` for a pipe, a device or a socket, which reading might wait for."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise ValueError("it is no file, but a pipe, a device or a socket")


def read_file(path: Path) -> bytes:
    """The bytes of a file; ``ValueError`` as ``check_regular``."""
    check_regular(path)
    return path.read_bytes()


def _check_size(count: int) -> None:
    """Raise ``ValueError`` for a file that would fill the memory once it is unpacked."""
    if count > memory.most():
        raise ValueError(
            f"it would take {sized(count)} of memory, and there are {sized(memory.most())}"
        )


def read_npz(path: Path, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
    """The arrays of these names, or all, in an ``.npz`` archive; nothing is unpickled.

    Raises:
        ValueError: it is no archive, or has no such array.
    """
    import numpy as np

    with path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            raise ValueError("it is no complete .npz archive")
        file.seek(0)
        with zipfile.ZipFile(file) as archive_file:
            entries = archive_file.infolist()
        if len(entries) > MOST_ENTRIES:
            raise ValueError(f"it has {len(entries):,} arrays; up to {MOST_ENTRIES:,} are accepted")
        _check_size(sum(entry.file_size for entry in entries))
        file.seek(0)
        with np.load(file, allow_pickle=False) as archive:
            wanted = archive.files if names is None else list(names)
            if absent := [name for name in wanted if name not in archive.files]:
                raise ValueError(f"it has no {', '.join(absent)}")
            return {name: np.asarray(archive[name]) for name in wanted}


def read_idx(path: Path) -> np.ndarray:
    """An idx file of bytes: two zeros, the type 8, the rank, the sizes, the data.

    Raises:
        ValueError: it is something else, or a part of one.
    """
    import numpy as np

    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        head = file.read(4)
        sizes = file.read(4 * head[3]) if len(head) == 4 else b""
        if head[:3] != b"\0\0\x08" or len(sizes) != 4 * head[3]:
            raise ValueError("it is no idx file of bytes")
        shape = np.frombuffer(sizes, ">u4").tolist()
        count = math.prod(shape)
        _check_size(count)
        content = file.read(count + 1)
    if len(content) != count:
        raise ValueError("it is no complete idx file")
    # Copied, for PyTorch warns of arrays that it may not write.
    return np.frombuffer(content, np.uint8).copy().reshape(shape)


def check_sha256(path: Path, expected: str, what: str) -> None:
    """Raise ``ValueError`` unless the bytes of a file are those that were published."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise ValueError(f"it is not the file of {what} (SHA-256 differs)")


def into(access: Access) -> Path:
    """The folder that downloads go to: the first one that can be written."""
    folders = access.folders()
    return next((folder for folder in folders if os.access(folder, os.W_OK)), folders[-1])
