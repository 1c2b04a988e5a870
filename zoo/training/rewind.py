"""What a run wrote after its last checkpoint is taken back, before it goes on from there.

Curves and tables then go on without a gap, a double or a step backwards.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

from zoo.runs.checkpoints import synced
from zoo.runs.run import Run


def rewind(run: Run, epochs: int, steps: int) -> None:
    """Leave of a run's table and events what belongs to its first epochs.

    Args:
        run: the run, which no other process writes.
        epochs: complete ones.
        steps: that those took.
    """
    if run.log.exists():
        _replace(run.log, "".join(_rows(run.log, epochs)).encode())
    files = sorted(run.events.glob("*tfevents*")) if run.events.is_dir() else []
    for place, path in enumerate(files):
        _replace(path, b"".join(_records(path.read_bytes(), steps)))
        # Readers go by the names, which begin with the time: whatever the clock says now, the
        # file that is written next comes after these.
        _, _, rest = path.name.partition("tfevents.")
        path.rename(path.with_name(f"events.out.tfevents.{place:010d}.{rest.partition('.')[2]}"))


def written_so_far(run: Run) -> None:
    """Have the disk hold the table and the events, as it will the checkpoint that follows."""
    for path in [run.log, *run.events.glob("*tfevents*")]:
        if path.exists():
            synced(path)


def _rows(table: Path, epochs: int) -> Iterator[str]:
    """The header, and the rows of the first epochs that are whole."""
    with table.open(newline="", encoding="utf-8") as file:
        for number, line in enumerate(file):
            epoch = line.partition(",")[0]
            if line.endswith("\n") and (number == 0 or (epoch.isdigit() and int(epoch) < epochs)):
                yield line


def _records(content: bytes, steps: int) -> Iterator[bytes]:
    """The records of an event file up to a step; one that is cut off ends them.

    A record is its length as a little-endian uint64, that one's checksum, the event, its checksum.
    """
    from tensorboardX.proto.event_pb2 import Event

    start = 0
    while start + 12 <= len(content):
        (length,) = struct.unpack_from("<Q", content, start)
        end = start + 12 + length + 4
        if end > len(content):
            return
        if Event.FromString(content[start + 12 : end - 4]).step <= steps:
            yield content[start:end]
        start = end


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
