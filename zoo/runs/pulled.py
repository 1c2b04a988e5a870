"""Packs that were pulled from elsewhere, each in a folder of its own below Keras's folder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import ZooError
from zoo.runtime import files, jsons

SOURCE = "source.json"
"""Where a pulled pack is from. The zoo writes it; it is no file of a pack."""

HUB = "hf://"
"""What the address of a repository on the Hugging Face Hub begins with."""

_MOST_SOURCE = 1 << 16  # bytes
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_FIELDS = ("from", "revision", "pulled")


@dataclass(frozen=True)
class Pulled:
    """A pack that was pulled.

    Attributes:
        name: ``"owner/name"``.
        path: its folder.
        origin: where it is from: ``"hf://owner/name"``, or a folder.
        revision: the commit on the Hub; of a folder, the start of the hash of its weights.
    """

    name: str
    path: Path
    origin: str
    revision: str


def root() -> Path:
    """The folder that holds all pulled packs: ``OWNER/NAME`` below it."""
    return files.keras_home() / "zoo" / "packs"


def place(name: str) -> Path:
    """The folder of ``"owner/name"``, there or not; ``ZooError`` for what is no such name."""
    parts = name.split("/")
    if len(parts) != 2 or not all(map(_NAME.fullmatch, parts)):
        raise ZooError(
            f"{name!r} cannot name a pack: OWNER/NAME is accepted, of letters, digits, '.', '_' "
            "and '-', beginning with a letter or digit. Of a folder they are its last two parts: "
            "rename it"
        )
    return root().joinpath(*parts)


def packs() -> Iterator[Pulled]:
    """All pulled packs, by name; folders that the zoo did not make are left out."""
    for path in sorted(root().glob(f"*/*/{SOURCE}")):
        folder = path.parent
        if not all(map(_NAME.fullmatch, (folder.parent.name, folder.name))):
            continue  # one that is being written
        try:
            about = jsons.parsed(files.read(path, _MOST_SOURCE))
            origin, revision, _ = (about[field] for field in _FIELDS)
        except (OSError, ZooError, ValueError, TypeError, KeyError):
            continue
        if isinstance(origin, str) and isinstance(revision, str):
            yield Pulled(f"{folder.parent.name}/{folder.name}", folder, origin, revision)


def source(origin: str, revision: str, pulled: str) -> bytes:
    """The content of ``SOURCE``; ``pulled`` is when, as ISO 8601 has it."""
    about = dict(zip(_FIELDS, (origin, revision, pulled), strict=True))
    return json.dumps(about, indent=2).encode()
