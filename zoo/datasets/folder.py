"""A folder of pictures: one folder a class, or all in one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.datasets.assorted import PARTS, Assorted, Source, parts_of
from zoo.datasets.files import read_file
from zoo.errors import ZooError
from zoo.plugin.dataset import ANYWHERE, Access, Data

SUFFIXES = frozenset(
    (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
)
"""Files with other suffixes, and hidden ones, are passed over."""

MOST_ENTRIES = 10_000_000
"""Files and folders below a folder."""


@dataclass(frozen=True)
class Folder(Assorted):
    """Pictures in a folder, as uint8 ``(n, height, width, channels)``.

    Below ``path``, or below its folders ``train``, ``validation`` and ``test``, there is either
    a folder for each class, or pictures alone, which have no labels. Class folders give labels,
    in the order of their names, and ``Data.class_names``. A split without a
    folder of its own is held out of the training pictures: the same ones every time, each class
    in proportion.

    Attributes:
        path: the folder; a relative one is looked for in ``--data-dir`` or ``ZOO_DATA``, then
            in the current folder.
    """

    path: str

    def load(self, access: Access = ANYWHERE) -> Data:
        """Read every picture once: for its size, and to find the broken ones.

        Raises:
            ZooError: no such folder, no pictures in it, classes that differ between splits,
                pictures of several sizes without ``size``, or a broken file where
                ``access.strict``.
        """
        root = access.locate(self.path)
        if not root.is_dir():
            raise ZooError(f"{root} is a file, and Folder.path names a folder of pictures")
        sources, classes = sources_in(root)
        return self.assemble(root.name, sources, len(classes), access, classes)


def sources_in(root: Path) -> tuple[dict[str, Source], list[str]]:
    """The pictures of a folder, ``{part: source}``, and the names of its classes, if any.

    Raises:
        ZooError: there are none, or classes differ between splits.
    """
    found, classes = _listed(root)
    return {part: _source(files, bool(classes)) for part, files in found.items()}, classes


def _listed(root: Path) -> tuple[dict[str, list[tuple[Path, int]]], list[str]]:
    """``{part: (file, label)}`` in the order of names, and the names of the classes."""
    folders = [entry.name for entry in root.iterdir() if entry.is_dir()]
    own = {"train": root}
    if any(name in folders for names in PARTS.values() for name in names):
        own = {part: root / name for part, name in parts_of(folders, str(root)).items()}
    classes = _classes(own["train"])
    found = {}
    for part, folder in own.items():
        if _classes(folder) != classes:
            differing = ", ".join(sorted(set(_classes(folder)) ^ set(classes)))
            raise ZooError(
                f"{folder} and {own['train']} differ in their class folders ({differing}): each "
                "has all classes, or neither has any"
            )
        homes = [folder / name for name in classes] or [folder]
        found[part] = [(file, label) for label, home in enumerate(homes) for file in _files(home)]
        if not found[part]:
            raise ZooError(f"{folder} holds no pictures ({', '.join(sorted(SUFFIXES))})")
    return found, classes


def _classes(folder: Path) -> list[str]:
    """Names of the folders that hold pictures; none where they lie there themselves."""
    names = sorted(
        entry.name
        for entry in folder.iterdir()
        if entry.is_dir() and not entry.name.startswith(".") and any(_files(entry))
    )
    loose = next((entry for entry in folder.iterdir() if _is_picture(entry)), None)
    if names and loose:
        raise ZooError(
            f"{folder} holds pictures, such as {loose.name}, and folders of pictures, such as "
            f"{names[0]}: put each picture into the folder of its class, or all into one"
        )
    return names


def _files(folder: Path) -> Iterator[Path]:
    """Pictures in a folder and in those below it, in the order of their names."""
    left = MOST_ENTRIES
    if folder.is_symlink() and folder.parent.resolve().is_relative_to(folder.resolve()):
        raise ZooError(f"{folder} is a link to a folder that it lies in: remove the link")
    for place, folders, names in os.walk(folder):  # it follows no link below
        left -= len(folders) + len(names)
        if left < 0:
            raise ZooError(f"{folder} holds more than {MOST_ENTRIES:,} files: name a smaller one")
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in sorted(names) if _is_picture(Path(place, name)))


def _is_picture(path: Path) -> bool:
    hidden = path.name.startswith(".")
    return path.suffix.lower() in SUFFIXES and not hidden and not path.is_dir()


def _source(files: Sequence[tuple[Path, int]], labelled: bool) -> Source:
    return Source(
        n=len(files),
        name=lambda row: str(files[row][0]),
        read=lambda row: read_file(files[row][0]),
        labels=[label for _, label in files] if labelled else None,
    )
