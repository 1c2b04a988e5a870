"""What a person's own data are, before anything is trained on them, and what suits them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.datasets.arrays import Arrays
from zoo.datasets.assorted import PARTS, Source
from zoo.datasets.folder import SUFFIXES, sources_in
from zoo.datasets.images import Decoded, Form
from zoo.datasets.survey import Survey, surprises, survey
from zoo.errors import ZooError
from zoo.plugin.dataset import ANYWHERE
from zoo.reports import pictures
from zoo.runtime.console import number, printable

SIZE = 64
"""Pixels a side that the recipes for folders ask for."""

SHEET_SIDE = 80  # pixels of a picture on a contact sheet
SHEET_COLUMNS, SHEET_ROWS = 8, 6
FEW, FEW_FOR_GAN = 100, 500  # pictures below which a person is warned
NAMED = 5  # broken files and classes that are named; all are counted


@dataclass(frozen=True)
class Look:
    """What was found.

    Attributes:
        facts: as JSON has them.
        lines: the same for people, ``(what, value)``.
        notes: what a person should know, a sentence each.
        image: a contact sheet, uint8 ``(height, width, 3)``; None for what cannot be drawn.
        suits: commands that train on them, the first one first, each with what it is for.
    """

    facts: dict[str, Any]
    lines: list[tuple[str, str]]
    notes: list[str]
    image: np.ndarray | None
    suits: list[tuple[str, str]]


def look(path: Path) -> Look:
    """Look at a folder of pictures, or at an ``.npz`` or ``.npy`` file.

    Raises:
        ZooError: it is neither, or holds nothing that can be trained on.
    """
    if not path.exists():
        raise ZooError(f"there is no {path}: name a folder of pictures, or an .npz or .npy file")
    if path.is_dir():
        return _folder(path)
    if path.suffix.lower() in SUFFIXES:
        raise ZooError(f"{path} is one picture: name the folder that it lies in")
    return _arrays(path)


# --- a folder


def _folder(path: Path) -> Look:
    sources, classes = sources_in(path.absolute())
    surveys = {part: survey(source) for part, source in sources.items()}
    found = list(surveys.values())
    shapes, modes, done = (
        sum((getattr(own, what) for own in found), type(getattr(found[0], what))())
        for what in ("shapes", "modes", "done")
    )
    broken = [pair for own in found for pair in own.broken]
    count = sum(len(own.rows) for own in found)
    if not count:
        raise ZooError(f"{path}: there is no picture that can be read; {broken[0][1]}")
    labels = np.concatenate([own.labels for own in found]) if classes else None
    per_class = {} if labels is None else dict(zip(classes, _counts(labels, classes), strict=True))
    named = [(str(Path(name).relative_to(path.absolute())), reason) for name, reason in broken]
    facts: dict[str, Any] = {
        "path": str(path),
        "pictures": {part: len(own.rows) for part, own in surveys.items()},
        "classes": per_class,
        "sizes": [[*shape, n] for shape, n in sorted(shapes.items())],
        "modes": dict(modes.most_common()),
        "grey": all(own.grey for own in found),
        "broken": [{"file": name, "reason": reason} for name, reason in named],
    }
    lines = [("pictures", _parts(facts["pictures"]) + f", {len(broken):,} more are broken")]
    if per_class:
        lines.append(("classes", _some([f"{name} {n:,}" for name, n in per_class.items()])))
    lines += [
        ("sizes", _sizes(shapes)),
        ("modes", ", ".join(f"{mode} {n:,}" for mode, n in modes.most_common())),
    ]
    lines += [("broken", f"{name}: {reason}") for name, reason in named[:NAMED]]
    if len(named) > NAMED:
        lines.append(("", f"and {len(named) - NAMED:,} more: --json names all"))
    size = _size(shapes)
    notes = surprises(done, "black")
    lost = 1 - np.average([min(s) / max(s) for s in shapes], weights=list(shapes.values()))
    if isinstance(size, int) and lost > 0.25:
        notes.append(
            f"cutting them square loses {lost:.0%} of a picture on average: dataset.fit=pad "
            "keeps all of it, with black borders"
        )
    train = surveys["train"]
    suits = _for_pictures(path, len(train.rows), len(classes), size)
    notes += _of_count(len(train.rows), "pictures")
    return Look(facts, lines, notes, _sheet(sources["train"], train, classes), suits)


def _counts(labels: np.ndarray, classes: Sequence[str]) -> list[int]:
    return np.bincount(labels, minlength=len(classes)).tolist()


def _parts(counts: dict[str, int]) -> str:
    if len(counts) == 1:
        return f"{sum(counts.values()):,}"
    return ", ".join(f"{part} {counts[part]:,}" for part in PARTS if part in counts)


def _some(items: Sequence[str]) -> str:
    more = len(items) - 2 * NAMED
    listed = ", ".join(items[: 2 * NAMED])
    return printable(f"{len(items):,}: {listed}" + (f" and {more:,} more" if more > 0 else ""))


def _sizes(shapes: Any) -> str:
    (height, width), n = shapes.most_common(1)[0]
    if len(shapes) == 1:
        return f"all {height} x {width} (height x width)"
    sides = np.array(list(shapes))
    (h0, w0), (h1, w1) = sides.min(axis=0), sides.max(axis=0)
    return (
        f"{len(shapes):,}: heights {h0} to {h1}, widths {w0} to {w1}; "
        f"most often {height} x {width} ({n:,})"
    )


def _size(shapes: Any) -> int | tuple[int, int]:
    """The size that pictures should get: their own where it is small and halves, else a square."""
    if len(shapes) == 1:
        [(height, width)] = shapes
        if max(height, width) <= SIZE and height % 4 == 0 == width % 4:
            return height if height == width else (height, width)
    sides = np.repeat([min(shape) for shape in shapes], list(shapes.values()))
    middle = int(np.median(sides))
    return next((size for size in (SIZE, 32, 16) if middle >= size), 8)


def _for_pictures(path: Path, n: int, classes: int, size: Any) -> list[tuple[str, str]]:
    given = shlex.quote(f"dataset.path={path}")
    if size != SIZE:
        given += " " + shlex.quote(f"dataset.size={size}")
    suits = [(f"zoo run vae_folder {given}", "encodes and samples; minutes")]
    if classes > 1:
        suits.append(
            (f"zoo run vae_folder {given} model.conditional=true", "samples of a class you name")
        )
    few = "; needs more pictures than these" if n < FEW_FOR_GAN else ""
    suits.append((f"zoo run dcgan_folder {given}", f"sharper samples, no codes; longer{few}"))
    return suits


def _of_count(n: int, what: str) -> list[str]:
    if n >= FEW:
        return []
    return [
        f"{n:,} {what} are few: a model learns them by heart; {FEW_FOR_GAN} and more are better"
    ]


def _sheet(source: Source, found: Survey, classes: Sequence[str]) -> np.ndarray:
    """Pictures from all over a source; of classes, a row each."""
    form = Form("rgb", (SHEET_SIDE, SHEET_SIDE), "pad")
    shown = Decoded(source.read, found.rows, (SHEET_SIDE, SHEET_SIDE), form)
    if found.labels is None or len(classes) > 2 * SHEET_ROWS:
        rows = _evenly(np.arange(len(shown)), SHEET_COLUMNS * SHEET_ROWS)
        return pictures.grid(shown[rows], min(SHEET_COLUMNS, len(rows)), scale=1)
    return _by_class(shown, found.labels, classes)


def _by_class(x: Any, labels: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    there = [label for label in range(len(classes)) if (labels == label).any()]
    most = max(1, SHEET_ROWS // len(there))  # rows of a class
    blank = np.full((SHEET_COLUMNS, *x.shape[1:]), pictures.BACKGROUND, "uint8")
    cells, names = [], []
    for label in there:
        own = x[_evenly(np.flatnonzero(labels == label), SHEET_COLUMNS * most)]
        cells += [pictures.to_uint8(own), blank[: -len(own) % SHEET_COLUMNS]]
        names += [label] * -(-len(own) // SHEET_COLUMNS)
    image = pictures.grid(np.concatenate(cells), SHEET_COLUMNS)
    return pictures.framed(image, pictures.class_names(names, classes))


def _evenly(rows: np.ndarray, n: int) -> np.ndarray:
    """At most n of them, from the first to the last."""
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(n, len(rows))).round().astype(int))]


# --- arrays


def _arrays(path: Path) -> Look:
    notes: list[str] = []
    access = type(ANYWHERE)(say=notes.append)
    data = Arrays(str(path.absolute()), validation=0, test=0).load(access)
    parts = {part: getattr(data, part) for part in PARTS if len(getattr(data, part))}
    x, shape, classes = data.train.x, data.spec.shape, data.spec.classes
    picture = x.dtype == np.uint8
    names = data.class_names or [str(label) for label in range(classes)]
    per_class = {}
    if data.train.y is not None:
        labels = np.concatenate([split.y for split in parts.values()])
        per_class = dict(zip(names, _counts(labels, names), strict=True))
    facts: dict[str, Any] = {
        "path": str(path),
        "examples": {part: len(split) for part, split in parts.items()},
        "shape": list(shape),
        "dtype": str(x.dtype),
        "classes": per_class,
    }
    lines = [("examples", _parts(facts["examples"]))]
    lines.append(("shape", f"{' x '.join(map(str, shape))}, {x.dtype}"))
    first = np.asarray(x[: max(1, (1 << 22) // int(np.prod(shape)))])
    facts["range"] = [float(first.min()), float(first.max())]
    cut = "" if len(first) == len(x) else f", of the first {len(first):,}"
    lines.append(("values", f"{number(first.min())} to {number(first.max())}{cut}"))
    if per_class:
        lines.append(("classes", _some([f"{name} {n:,}" for name, n in per_class.items()])))
    given = shlex.quote(f"dataset.path={path}")
    suits = [(f"zoo run ae_arrays {given}", "codes and reconstructions; minutes")]
    if not picture and len(shape) == 1:
        suits.append((f"zoo run vae_points dataset=arrays {given}", "samples of vectors"))
        spread = first.std(axis=0)
        if spread.min() * 100 < spread.max():
            notes.append(
                "its columns differ more than a hundredfold in spread, and the larger ones decide "
                "the error: scale them alike before"
            )
    elif picture and pictures.is_picture(shape):
        suits.append((f"zoo run vae_mnist dataset=arrays {given}", "samples of dark and light"))
    notes += _of_count(len(data.train), "examples")
    image = None
    if pictures.is_picture(shape) and (picture or 0 <= first.min() <= first.max() <= 1):
        if per_class and classes <= 2 * SHEET_ROWS and data.train.y is not None:
            image = _by_class(x, data.train.y, names)
        else:
            rows = _evenly(np.arange(len(x)), SHEET_COLUMNS * SHEET_ROWS)
            image = pictures.grid(x[rows], min(SHEET_COLUMNS, len(rows)))
    return Look(facts, lines, notes, image, suits)
