"""Examples of a person's own, made like those that a model was trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.datasets.arrays import Arrays
from zoo.datasets.assorted import IN_MEMORY, Source, surveyed
from zoo.datasets.files import read_file
from zoo.datasets.folder import SUFFIXES, sources_in
from zoo.datasets.images import CHANNELS, Decoded, Form, fitted
from zoo.datasets.survey import surprises
from zoo.errors import ZooError
from zoo.plugin.dataset import Access, Split
from zoo.plugin.model import DataSpec
from zoo.runtime.console import counted

MODES = {channels: mode for mode, channels in CHANNELS.items()}


@dataclass(frozen=True)
class Given:
    """What a person gave.

    Attributes:
        split: examples of the model's shape, with labels where their classes are the model's.
        names: of each example, as ``"cat/1.jpg"`` or ``"row 7"``.
        labels: of the classes that the data have, the model's or others, int32 ``(n,)``; or None.
        class_names: of ``labels`` in order; empty where they are numbers, or none.
    """

    split: Split
    names: list[str]
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Like:
    """What the examples have to be like.

    Attributes:
        spec: the data that the model was built for.
        class_names: of its classes in order; empty where they have none.
        form: how its pictures were fitted; size and mode are those of ``spec``.
    """

    spec: DataSpec
    class_names: Sequence[str] = ()
    form: Form = Form()

    @property
    def fitting(self) -> Form | None:
        """How pictures are fitted; None for examples that are no grey or coloured pictures."""
        shape = self.spec.shape
        if len(shape) != 3 or shape[-1] not in MODES:
            return None
        of = self.form
        size = shape[0], shape[1]
        return Form(MODES[shape[-1]], size, of.fit, of.background, of.value_range)


def read(paths: Sequence[Path], like: Like, say: Callable[[str], None]) -> Given:
    """Read pictures, folders of pictures and arrays, one after the other.

    Args:
        paths: each a picture, a folder as ``Folder`` takes it, or an ``.npz`` or ``.npy`` file as
            ``Arrays`` takes it, all of whose splits are read.
        like: what they have to be like: pictures are fitted to it.
        say: told once what was done to them.

    Raises:
        ZooError: there is nothing there, or it cannot be made like that.
    """
    found = [_read(path, like, say) for path in paths]
    if len(found) == 1:
        return found[0]
    y = _joined([given.split.y for given in found])
    labels = _joined([given.labels for given in found])
    known = {given.class_names for given in found}
    if len(known) > 1:  # numbers of several lists of classes
        labels = None
    x = np.concatenate([np.asarray(given.split.x) for given in found])
    names = [
        f"{path.name}/{name}" if len(given.names) > 1 else name
        for path, given in zip(paths, found, strict=True)
        for name in given.names
    ]
    return Given(Split(x, y), names, labels, () if labels is None else known.pop())


def _joined(columns: Sequence[np.ndarray | None]) -> np.ndarray | None:
    there = [column for column in columns if column is not None]
    return np.concatenate(there) if len(there) == len(columns) else None


def _read(path: Path, like: Like, say: Callable[[str], None]) -> Given:
    path = path.expanduser()
    if not path.exists():
        raise ZooError(f"there is no {path}: name a picture, a folder of pictures or an .npz file")
    if path.suffix.lower() in (".npz", ".npy") and not path.is_dir():
        return _arrays(path, like, say)
    form = like.fitting
    if form is None:
        raise ZooError(
            f"{path}: the model is of examples of shape {like.spec.shape}, not of pictures: give "
            "an .npz or .npy file of them"
        )
    if path.is_dir():
        sources, classes = sources_in(path.absolute())
        return _pictures(path, list(sources.values()), classes, like, form, say)
    if path.suffix.lower() not in SUFFIXES:
        listed = ", ".join(sorted(SUFFIXES))
        raise ZooError(f"{path} is neither a picture ({listed}) nor an .npz or .npy file")
    file = Source(1, lambda row: str(path), lambda row: read_file(path), None)
    return _pictures(path, [file], [], like, form, say)


def _pictures(path, sources, classes, like: Like, form: Form, say) -> Given:
    """Pictures in files."""
    access, size = Access(say=say), form.size or (0, 0)
    surveys = [surveyed(source, path.name, access, form.value_range) for source in sources]
    done = sum((found.done for found in surveys), type(surveys[0].done)())
    for line in surprises(done, form.background):
        say(f"{path.name}: {line}")
    if any(found.shapes.keys() != {size} for found in surveys):
        say(f"{path.name}: {_fitted(sum(len(s.rows) for s in surveys), form)}")
    bytes_each = size[0] * size[1] * CHANNELS[form.mode]
    whole = sum(len(found.rows) for found in surveys) * bytes_each <= IN_MEMORY
    parts: list[Any] = [
        Decoded(source.read, found.rows, size, form)
        for source, found in zip(sources, surveys, strict=True)
    ]
    if whole or len(parts) > 1:
        parts = [part[:] for part in parts]
    names = [
        _name(source.name(row), path) + (f" page {page + 1}" if page else "")
        for source, found in zip(sources, surveys, strict=True)
        for row, page in found.rows.tolist()
    ]
    y = np.concatenate([found.labels for found in surveys]) if classes else None
    x = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return _labelled(x, y, tuple(classes), names, like)


def _name(file: str, path: Path) -> str:
    own, root = Path(file), path.absolute()
    return own.relative_to(root).as_posix() if path.is_dir() else own.name


def _fitted(n: int, form: Form) -> str:
    height, width = form.size or (0, 0)
    how = {"crop": "cut", "pad": "padded", "stretch": "stretched"}[form.fit]
    colour = "grey" if form.mode == "grey" else "colour"
    return f"{counted(n, 'picture')} {how} to {height} x {width} in {colour}, as the run's are"


def _arrays(path: Path, like: Like, say: Callable[[str], None]) -> Given:
    """Arrays of all splits, in their order."""
    data = Arrays(str(path.absolute()), validation=0, test=0).load(Access(say=say))
    splits = [split for split in (data.train, data.validation, data.test) if len(split)]
    x = splits[0].x if len(splits) == 1 else np.concatenate([np.asarray(s.x) for s in splits])
    shape, form = like.spec.shape, like.fitting
    if x.shape[1:] != shape:
        if x.dtype != np.uint8 or form is None or x.shape[-1] not in MODES:
            raise ZooError(
                f"{path}: the model is of examples of shape {shape}, and these have {x.shape[1:]}. "
                "uint8 pictures, grey or in colour, are fitted; other examples have to have it"
            )
        x = _refitted(x, form)
        say(f"{path.name}: {_fitted(len(x), form)}")
    y = None if data.train.y is None else np.concatenate([split.y for split in splits])
    return _labelled(x, y, data.class_names, [f"row {i}" for i in range(len(x))], like)


def _refitted(x: Any, form: Form) -> np.ndarray:
    from PIL import Image

    parts = (np.squeeze(part, -1) if part.shape[-1] == 1 else part for part in x)
    return np.stack([fitted(Image.fromarray(part), form) for part in parts])


def _labelled(x, y, classes: tuple[str, ...], names: list[str], like: Like) -> Given:
    """With labels in the terms of the model's classes, where they have these names or numbers."""
    if y is None:
        return Given(Split(x), names)
    known = list(like.class_names) or [str(label) for label in range(like.spec.classes)]
    if classes and known and set(classes) <= set(known):
        y = np.array([known.index(name) for name in classes], np.int32)[y]
    elif classes or y.max(initial=0) >= like.spec.classes:
        return Given(Split(x), names, y, classes)
    return Given(Split(x, y), names, y, tuple(like.class_names))
