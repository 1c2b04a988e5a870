"""The whole state of a training on disk: written as one unit, verified when read.

A checkpoint is a folder, which no process changes once it is there:

- ``arrays.safetensors``: every number, under names that are the same on every backend
- ``state.json``: the position, what callbacks remember, the time taken
- ``SHA256SUMS``: of both, as ``sha256sum -c`` reads it

Folders are numbered in the order of writing, so that no clock decides which is the newest.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import ZooError
from zoo.runs import safetensors
from zoo.runtime import files, jsons, writer

ARRAYS, STATE, SUMS = "arrays.safetensors", "state.json", "SHA256SUMS"
THIS = "this"  # what a checkpoint calls itself, which is written before it has its name
_MOST_JSON = 256 << 20  # bytes


class Damaged(Exception):
    """A checkpoint is not what was written."""


@dataclass(frozen=True)
class Snapshot:
    """The state of a training at one moment, which a checkpoint holds.

    Attributes:
        arrays: every number of the state, by name.
        state: what JSON holds of it.
        name: of its folder; empty for one that is not written.
        sha256: of the file of arrays, hexadecimal; empty for one that is not written.
    """

    arrays: Mapping[str, np.ndarray]
    state: Mapping[str, Any]
    name: str = ""
    sha256: str = ""

    @property
    def place(self) -> str:
        """Where in the training it was taken, in words."""
        epoch, step = self.state["epoch"], self.state["step"]
        return f"step {step} of epoch {epoch + 1}" if step else f"the end of epoch {epoch}"


class Store:
    """Writes and reads the checkpoints below a folder; one process at a time may write.

    Args:
        folder: made with the first checkpoint; the one that it is in has to be there.
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

    def write(self, snapshot: Snapshot, *, keep: int, spare: Iterable[str] = ()) -> str:
        """Write a checkpoint beside those there, move it into place, remove old ones.

        Whenever the process or the machine stops, the checkpoints that were there are there
        still, or the new one is.

        Args:
            snapshot: what to write.
            keep: how many of the newest to keep, this one included.
            spare: names of older ones to keep besides.

        Returns:
            Its name.

        Raises:
            OSError: it cannot be written; what there was is as it was.
        """
        with writer.folder(self.folder, self.folder.parent) as inside:
            writer.sweep(inside, mine=True)
            names = self.names()
            name = f"checkpoint-{_number(names[-1]) + 1 if names else 1:06d}"
            temporary = writer.new_name("dir")
            try:
                os.mkdir(temporary, dir_fd=inside)
                _fill(inside, temporary, snapshot)
                os.rename(temporary, name, src_dir_fd=inside, dst_dir_fd=inside)
            except BaseException:
                writer.remove_folder(inside, temporary)
                raise
            writer.synced(inside)
            whole = [old for old in names if old not in self._damaged]
            kept = {*whole[max(len(whole) + 1 - keep, 0) :], *spare}
            for old in names:
                if old not in kept:
                    _remove(inside, old)
        return name

    def read(self, name: str) -> Snapshot:
        """Read a checkpoint and verify every byte of it.

        Raises:
            Damaged: it is not whole.
        """
        known = self._hashes(name)
        content = {}
        for file, most in ((STATE, _MOST_JSON), (ARRAYS, None)):
            content[file] = self._content(name, file, most)
            if hashlib.sha256(content[file]).hexdigest() != known.get(file):
                raise Damaged(f"{file} is not what was written")
        try:
            state = jsons.parsed(content[STATE])
            arrays = safetensors.decoded(content[ARRAYS])
        except ValueError as error:
            raise Damaged(str(error)) from error
        if not isinstance(state, dict) or not _is_position(state):
            raise Damaged(f"{STATE} holds no position")
        return Snapshot(arrays, state, name, known[ARRAYS])

    def sha256(self, name: str) -> str:
        """SHA-256 of a checkpoint's arrays, as they were written; ``Damaged`` if it is not said."""
        known = self._hashes(name)
        if ARRAYS not in known:
            raise Damaged(f"{SUMS} says nothing of {ARRAYS}")
        return known[ARRAYS]

    def _hashes(self, name: str) -> dict[str, str]:
        text = self._content(name, SUMS, 1 << 12).decode("ascii", "replace")
        lines = re.findall(r"^([0-9a-f]{64})  (\S+)$", text, re.MULTILINE)
        return {file: digest for digest, file in lines}

    def _content(self, name: str, file: str, most: int | None) -> bytes:
        try:
            return files.read(self.folder / name / file, most)
        except FileNotFoundError as error:
            raise Damaged(f"{file} is missing") from error
        except ZooError as error:
            raise Damaged(str(error)) from error

    def newest(self, say: Callable[[str], None] = lambda line: None) -> Snapshot | None:
        """The last checkpoint that is whole, or None; ``say`` hears of those that are not."""
        for name in reversed(self.names()):
            try:
                return self.read(name)
            except Damaged as error:
                self._damaged.add(name)
                say(f"{self.folder / name} is damaged ({error}): taking the one before")
        return None


def _is_position(state: Mapping[str, Any]) -> bool:
    return all(isinstance(state.get(key), int) and state[key] >= 0 for key in ("epoch", "step"))


def _number(name: str) -> int:
    """The number of a checkpoint's folder; 0 for what is none."""
    found = re.fullmatch(r"checkpoint-(\d{6,18})", name)
    return int(found[1]) if found else 0


def _fill(inside: int, name: str, snapshot: Snapshot) -> None:
    """Write the three files of a checkpoint into its folder."""
    handle = os.open(name, writer.FOLDER, dir_fd=inside)
    try:
        text = json.dumps(snapshot.state, indent=1).encode()
        try:
            jsons.parsed(text)
        except ValueError as error:
            raise ZooError(
                f"what callbacks remember is no state that a checkpoint can hold: {error}"
            ) from error
        parts = {ARRAYS: safetensors.encoded(snapshot.arrays), STATE: [text]}
        sums = [f"{writer.create(handle, f, p)}  {f}\n" for f, p in parts.items()]
        writer.create(handle, SUMS, ["".join(sums).encode()])
        writer.synced(handle)
    finally:
        os.close(handle)


def _remove(inside: int, name: str) -> None:
    """Remove a checkpoint: at once it is none, rather than a damaged one."""
    aside = writer.new_name("dir")
    with contextlib.suppress(OSError):
        os.rename(name, aside, src_dir_fd=inside, dst_dir_fd=inside)
        writer.remove_folder(inside, aside)
