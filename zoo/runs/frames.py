"""Pictures that a training left behind, in order: from its folder, else from its events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from zoo.errors import ZooError
from zoo.runs import event_files
from zoo.runs.run import Run
from zoo.runtime import files
from zoo.runtime.console import printable

MOST = 32 << 20  # bytes of one picture
_NAME = re.compile(r"(\w[\w-]*?)-(epoch|step)-(\d{1,12})\.png")


@dataclass(frozen=True)
class Frame:
    """One picture.

    Attributes:
        when: in words, ``"epoch 3"`` or ``"step 1,500"``.
        content: of a PNG file, which may be a stranger's.
    """

    when: str
    content: bytes


def over_training(run: Run) -> dict[str, list[Frame]]:
    """The pictures of each kind, from the first to the last.

    Of a kind that is both in ``pictures/`` and among the events, the more numerous ones.
    """
    found = _of_folder(run)
    for kind, frames in _of_events(run).items():
        if len(frames) > len(found.get(kind, ())):
            found[kind] = frames
    return found


def last(run: Run) -> dict[str, bytes]:
    """The newest picture of each kind that ``pictures/`` holds, by the kind."""
    found = {}
    for path in sorted(run.pictures.glob("*.png")):
        if not _NAME.fullmatch(path.name) and (content := _content(run, path.name)):
            found[printable(path.stem)] = content
    return found


def _of_folder(run: Run) -> dict[str, list[Frame]]:
    named: dict[str, dict[tuple[str, int], str]] = {}
    for path in run.pictures.glob("*.png"):
        if match := _NAME.fullmatch(path.name):
            kind, unit, number = match[1], match[2], int(match[3])
            named.setdefault(kind, {})[unit, number] = path.name
    found: dict[str, list[Frame]] = {}
    for kind, names in named.items():
        # those of steps within an epoch and those of the epochs' ends are not in one order
        units = {unit for unit, _ in names}
        unit = "step" if "step" in units and len(units) == 1 else "epoch"
        unit = max(units, key=lambda u: sum(each == u for each, _ in names)) if units else unit
        for (own, number), name in sorted(names.items()):
            content = _content(run, name) if own == unit else None
            if content:
                found.setdefault(kind, []).append(Frame(f"{unit} {number:,}", content))
    return found


def _content(run: Run, name: str) -> bytes | None:
    if not files.within(run.pictures, run.path):
        return None
    try:
        return files.read(run.pictures / name, MOST)
    except (FileNotFoundError, ZooError):
        return None


def _of_events(run: Run) -> Mapping[str, list[Frame]]:
    found: dict[str, list[Frame]] = {}
    newest: dict[str, int] = {}
    for part, step, value in event_files.values(run):
        tag = printable(value.tag)
        if part or value.WhichOneof("value") != "image" or step <= newest.get(tag, -1):
            continue
        newest[tag] = step
        content = bytes(value.image.encoded_image_string)
        found.setdefault(tag, []).append(Frame(f"step {step:,}", content))
    return found
