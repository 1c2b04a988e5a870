"""The whole state of a training on disk: written as one unit, verified when read.

A checkpoint is a folder, which no process changes once it is there:

- ``arrays.safetensors``: every number, under names that are the same on every backend
- ``state.json``: the position, what callbacks remember, the time taken
- ``SHA256SUMS``: of both, as ``sha256sum -c`` reads it

Folders are numbered in the order of writing, so that no clock decides which is the newest.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.runs import safetensors
from zoo.runtime.files import is_all_holes

ARRAYS, STATE, SUMS = "arrays.safetensors", "state.json", "SHA256SUMS"
THIS = "this"  # what a checkpoint calls itself, which is written before it has its name
_CHUNK = 1 << 24  # bytes hashed and written at a time
_MOST_JSON = 256 << 20  # bytes
_NO_LINK, _NO_WAIT = getattr(os, "O_NOFOLLOW", 0), getattr(os, "O_NONBLOCK", 0)


class Damaged(Exception):
    """A checkpoint is not what was written."""


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds.

    Attributes:
        arrays: every number of the state, by name.
        state: what JSON holds of it.
        name: of its folder; empty for one that is not written.
    """

    arrays: Mapping[str, np.ndarray]
    state: Mapping[str, Any]
    name: str = ""

    @property
    def place(self) -> str:
        """Where in the training it was taken, in words."""
        epoch, step = self.state["epoch"], self.state["step"]
        return f"step {step} of epoch {epoch + 1}" if step else f"the end of epoch {epoch}"


class Store:
    """Writes and reads the checkpoints below a folder; one process at a time may write.

    Args:
        folder: made with the first checkpoint.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._damaged: set[str] = set()

    def names(self) -> list[str]:
        """The checkpoints there, oldest first, whole or not."""
        try:
            found = [entry.name for entry in os.scandir(self.folder) if _number(entry.name)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(found, key=_number)

    def write(self, checkpoint: Checkpoint, *, keep: int, spare: Iterable[str] = ()) -> str:
        """Write a checkpoint beside those there, move it into place, remove old ones.

        Whenever the process or the machine stops, the checkpoints that were there are there
        still, or the new one is.

        Args:
            checkpoint: what to write.
            keep: how many of the newest to keep, this one included.
            spare: names of older ones to keep besides.

        Returns:
            Its name.

        Raises:
            OSError: it cannot be written; what there was is as it was.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        names = self.names()
        name = f"checkpoint-{_number(names[-1]) + 1 if names else 1:06d}"
        temporary = self.folder / f".{name}"
        try:
            os.mkdir(temporary)
            text = json.dumps(checkpoint.state, indent=1).encode()
            parts = {ARRAYS: safetensors.encoded(checkpoint.arrays), STATE: [text]}
            sums = [f"{_written(temporary / f, p)}  {f}\n" for f, p in parts.items()]
            _written(temporary / SUMS, ["".join(sums).encode()])
            synced(temporary)
            os.rename(temporary, self.folder / name)
        except BaseException:
            _remove(temporary)
            raise
        synced(self.folder)
        whole = [old for old in names if old not in self._damaged]
        kept = {*whole[max(len(whole) + 1 - keep, 0) :], *spare}
        for old in names:
            if old not in kept:
                _remove(self.folder / old)
        return name

    def read(self, name: str) -> Checkpoint:
        """Read a checkpoint and verify every byte of it.

        Raises:
            Damaged: it is not whole.
        """
        folder = self.folder / name
        sums = _read(folder / SUMS, 1 << 12).decode("ascii", "replace")
        lines = re.findall(r"^([0-9a-f]{64})  (\S+)$", sums, re.MULTILINE)
        known = {file: digest for digest, file in lines}
        content = {}
        for file, most in ((STATE, _MOST_JSON), (ARRAYS, None)):
            content[file] = _read(folder / file, most)
            if hashlib.sha256(content[file]).hexdigest() != known.get(file):
                raise Damaged(f"{file} is not what was written")
        try:
            state = json.loads(content[STATE])
            arrays = safetensors.decoded(content[ARRAYS])
        except (ValueError, RecursionError) as error:
            raise Damaged(str(error)) from error
        if not isinstance(state, dict) or not _is_position(state):
            raise Damaged(f"{STATE} holds no position")
        return Checkpoint(arrays, state, name)

    def newest(self, say: Callable[[str], None] = lambda line: None) -> Checkpoint | None:
        """The last checkpoint that is whole, or None; ``say`` hears of those that are not."""
        for name in reversed(self.names()):
            try:
                return self.read(name)
            except Damaged as error:
                self._damaged.add(name)
                say(f"{self.folder / name} is damaged ({error}): taking the one before")
        return None

    def _sweep(self) -> None:
        """Remove what a process that was killed left half written."""
        for entry in os.scandir(self.folder):
            if entry.name.startswith(".checkpoint-"):
                _remove(Path(entry.path))


def _is_position(state: Mapping[str, Any]) -> bool:
    return all(isinstance(state.get(key), int) and state[key] >= 0 for key in ("epoch", "step"))


def _number(name: str) -> int:
    """The number of a checkpoint's folder; 0 for what is none."""
    found = re.fullmatch(r"checkpoint-(\d{6,18})", name)
    return int(found[1]) if found else 0


def _written(path: Path, parts: Iterable[bytes | memoryview]) -> str:
    """Write a new file, sync it to disk and return its SHA-256."""
    digest = hashlib.sha256()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
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


def synced(path: Path) -> None:
    """Have the disk hold what a file or folder holds."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF):  # a file system without it for folders
            raise
    finally:
        os.close(descriptor)


def _read(path: Path, most: int | None) -> bytes:
    try:
        # no link elsewhere, and no pipe to wait for
        descriptor = os.open(path, os.O_RDONLY | _NO_LINK | _NO_WAIT)
        with open(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise Damaged(f"{path.name} is no file")
            if most is not None and found.st_size > most:
                raise Damaged(f"{path.name} is too large")
            if is_all_holes(found):
                raise Damaged(f"{path.name} is all holes")
            return file.read(found.st_size)
    except (OSError, MemoryError) as error:
        raise Damaged(f"{path.name}: {getattr(error, 'strerror', None) or error!r}") from error


def _remove(folder: Path) -> None:
    """Remove a checkpoint, whatever of it is there; one that cannot be removed stays."""
    try:
        aside = folder if folder.name.startswith(".") else folder.with_name(f".{folder.name}")
        if aside != folder:
            os.rename(folder, aside)  # at once no checkpoint, rather than a damaged one
        for entry in os.scandir(aside):
            os.unlink(entry.path)
        os.rmdir(aside)
    except OSError:
        return
