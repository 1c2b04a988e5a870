"""Reading TensorBoard's event files, without TensorFlow."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zoo.errors import ZooError
from zoo.runs.run import Run
from zoo.runtime import files

MOST = 512 << 20  # bytes of a file


def records(content: bytes) -> Iterator[tuple[bytes, Any]]:
    """Each whole record of an event file as it stands there, and the event that it holds.

    A record is its length as a little-endian uint64, that one's checksum, the event, its checksum.
    One that is cut off ends them.

    Raises:
        google.protobuf.message.DecodeError: a record holds no event.
    """
    from tensorboard.compat.proto.event_pb2 import Event

    start = 0
    while start + 12 <= len(content):
        (length,) = struct.unpack_from("<Q", content, start)
        end = start + 12 + length + 4
        if end > len(content):
            return
        yield content[start:end], Event.FromString(content[start + 12 : end - 4])
        start = end


def values(run: Run) -> Iterator[tuple[str, int, Any]]:
    """``(part, step, value)`` of all that a run told TensorBoard, file by file.

    The part is empty for training, else ``"validation"``. What is damaged ends a file: it is a
    stranger's, or was being written when a training was killed.
    """
    from google.protobuf.message import DecodeError

    for path in run.event_files:
        part = "" if path.parent == run.path else path.parent.name
        try:
            for _, event in records(_content(path, run.path)):
                for value in event.summary.value:
                    yield part, int(event.step), value
        except (DecodeError, FileNotFoundError, ZooError):
            continue


def _content(path: Path, below: Path) -> bytes:
    if not files.within(path.parent, below):
        raise ZooError(f"{path} is a link out of the run's folder")
    return files.read(path, MOST)
