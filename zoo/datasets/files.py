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

if TYPE_CHECKING:
    import numpy as np


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

    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    start = 4 + 4 * content[3] if len(content) > 3 else 4
    if content[:3] != b"\0\0\x08" or len(content) < start:
        raise ValueError("it is no idx file of bytes")
    shape = np.frombuffer(content[4:start], ">i4")
    if len(content) - start != math.prod(shape.tolist()):
        raise ValueError("it is no complete idx file")
    # Copied, for PyTorch warns of arrays that it may not write.
    return np.frombuffer(content[start:], np.uint8).copy().reshape(shape)


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
