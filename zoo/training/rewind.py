"""What a run wrote after its last checkpoint is taken back, before it goes on from there.

Curves and tables then go on without a gap, a double or a step backwards.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from zoo.callbacks.events import FINAL, VALIDATION
from zoo.errors import ZooError
from zoo.runs import event_files
from zoo.runs.run import Run
from zoo.runtime import writer


def rewind(run: Run, epochs: int, steps: int) -> None:
    """Leave of a run's table and events what belongs to its first epochs.

    Args:
        run: the run, which no other process writes.
        epochs: complete ones.
        steps: that were made before the checkpoint.

    Raises:
        ZooError: the table or the events are links, which writing on would follow.
    """
    with writer.folder(run.path, None) as inside:
        writer.sweep(inside, mine=True)
    events = run.event_files
    for path in (run.log, run.events / VALIDATION, *events):
        if path.is_symlink():
            raise ZooError(f"{path} is a link: remove it, or put what it leads to in its place")
    if run.log.exists():
        writer.write(run.log, "".join(_rows(run.log, epochs)).encode(), run.path)
    for place, path in enumerate(events):
        writer.write(path, b"".join(_records(path.read_bytes(), steps)), run.path)
        # Readers go by the names, which begin with the time: whatever the clock says now, the
        # file that is written next comes after these.
        _, _, rest = path.name.partition("tfevents.")
        path.rename(path.with_name(f"events.out.tfevents.{place:010d}.{rest.partition('.')[2]}"))


def written_so_far(run: Run) -> None:
    """Have the disk hold the table and the events, as it will the checkpoint that follows."""
    for path in [run.log, *run.event_files]:
        with contextlib.suppress(FileNotFoundError):
            handle = os.open(path, os.O_RDONLY)
            try:
                writer.synced(handle)
            finally:
                os.close(handle)


def _rows(table: Path, epochs: int) -> Iterator[str]:
    """The header, and the rows of the first epochs that are whole."""
    with table.open(newline="", encoding="utf-8") as file:
        for number, line in enumerate(file):
            epoch = line.partition(",")[0]
            kept = number == 0 or (epoch.isdecimal() and int(epoch) <= epochs)
            if kept and line.endswith("\n"):
                yield line


def _records(content: bytes, steps: int) -> Iterator[bytes]:
    """The records of an event file up to a step; one that is cut off ends them.

    Those of step 0, such as settings, are written anew by a training that begins or goes on, and
    final results when it ends.
    """
    for record, event in event_files.records(content):
        final = any(value.tag.startswith(f"{FINAL}/") for value in event.summary.value)
        if event.file_version or (0 < event.step <= steps and not final):
            yield record
