"""A file of TensorBoard's events, written without TensorFlow."""

from __future__ import annotations

import os
import socket
import struct
import time
from pathlib import Path
from typing import Any

from zoo.runtime import crc32c, writer


class EventFile:
    """A new file of events, which has each of them as soon as it is added.

    A record is its length as a little-endian uint64, that one's checksum, the event, its checksum.

    Args:
        folder: where it lies; TensorBoard calls its curves by this folder.
        below: a folder that contains it, below which no link is followed.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, folder: Path, below: Path):
        # names have the second alone, so that they are counted as well
        place = len(list(folder.glob("*tfevents*")))
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{place:04d}"
        self._path = folder / name
        with writer.folder(folder, below) as inside:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            self._file = os.open(name, flags, 0o666, dir_fd=inside)
        self._write(file_version="brain.Event:2")

    def add(self, step: int, **value: Any) -> None:
        """Add the value of a summary at a step, given by the fields of ``Summary.Value``."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        self._write(step=step, summary=Summary(value=[Summary.Value(**value)]))

    def close(self) -> None:
        """Close it."""
        os.close(self._file)

    def _write(self, **event: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        content = Event(wall_time=time.time(), **event).SerializeToString()
        length = struct.pack("<Q", len(content))
        sums = (struct.pack("<I", crc32c.masked(part)) for part in (length, content))
        record = memoryview(b"".join([length, next(sums), content, next(sums)]))
        try:
            while record:
                record = record[os.write(self._file, record) :]
        except OSError as error:
            error.filename = os.fspath(self._path)
            raise
