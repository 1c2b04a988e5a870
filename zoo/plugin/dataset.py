"""What every dataset is: settings that load into train, validation and test."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError
from zoo.plugin.checked import Checked
from zoo.plugin.model import DataSpec
from zoo.runtime import files
from zoo.runtime.console import printable, say

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Access:
    """Where data may come from, and what to do when it cannot be had.

    Attributes:
        data_dir: folder to look in first; default the variable ``ZOO_DATA``.
        strict: refuse to train on a stand-in.
        say: told one line at a time what is downloaded or replaced; default stderr.
        confined: open paths that a dataset names only below the chosen folder: for the data of a
            run, which may be a stranger's.
    """

    data_dir: Path | None = None
    strict: bool = False
    say: Callable[[str], None] = say
    confined: bool = False

    def folders(self) -> tuple[Path, ...]:
        """Folders to look in, in order: the chosen one, then Keras's cache.

        Raises:
            ZooError: the chosen folder is not there or cannot be read.
        """
        cache = files.keras_home() / "datasets"
        chosen = self.data_dir or os.environ.get("ZOO_DATA")
        if not chosen:
            return (cache,)
        origin = "--data-dir" if self.data_dir else "ZOO_DATA"
        folder = Path(chosen).expanduser()
        if not (os.path.isdir(folder) and os.access(folder, os.R_OK | os.X_OK)):
            raise ZooError(
                f"{origin} names {folder}, which is no folder that can be read. "
                "Name the one that holds the data, or create it."
            )
        return (folder, cache)

    def locate(self, path: str) -> Path:
        """Where a relative path leads: from the chosen folder, else from the current one.

        Raises:
            ZooError: nothing is there, or the access is confined and it is elsewhere.
        """
        wanted = Path(path).expanduser()
        if self.confined:
            self._refuse_elsewhere(wanted)
        places = [wanted] if wanted.is_absolute() else [*self.folders()[:-1], Path.cwd()]
        for place in places:
            if (place / wanted).exists():
                return place / wanted
        looked = " or ".join(str(place / wanted) for place in places)
        raise ZooError(
            f"there is no {looked}: give a path that is there, absolute or relative to "
            "--data-dir, to ZOO_DATA or to the current folder"
        )

    def _refuse_elsewhere(self, wanted: Path) -> None:
        if not any(files.within(place / wanted, place) for place in self.folders()[:-1]):
            folder = wanted.parent if wanted.is_absolute() else "FOLDER"
            raise ZooError(
                f"the run's data are {printable(str(wanted))}, and what a run that you did not "
                "make names is opened only below a folder that you name: --data-dir "
                f"{printable(str(folder))} or ZOO_DATA. "
                "Or name its recipe, which is code: --recipe FILE"
            )


ANYWHERE = Access()
"""The usual places, with nothing refused: what ``load()`` uses."""


@dataclass(frozen=True, eq=False)
class Split:
    """Examples that are used for one thing: training, validation or test.

    Attributes:
        x: pictures uint8 ``(n, height, width, channels)`` in 0 to 255, or float32
            vectors ``(n, ...)``. What has ``shape``, ``dtype``, ``len`` and rows by slice or
            array of numbers will do, such as ``np.memmap``: it is read a batch at a time.
        y: labels int32 ``(n,)`` from 0, or None. -1 is a missing label, for data whose
            ``DataSpec`` says ``missing_labels``.
        factors: what the examples were made from, where that is known: ``(n, k)``, int32
            for places among the values of a factor, else float32; or None.
        paired: ``{name: array (n, ...)}`` of the sources beside x, the first source, whose row
            i belongs to row i of x; each array as x may be.
        unpaired: ``{name: array (m, ...)}`` of the sources with a size and an order of their own.
    """

    x: Any
    y: np.ndarray | None = None
    factors: np.ndarray | None = None
    paired: Mapping[str, Any] = field(default_factory=dict)
    unpaired: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        given = {"labels": self.y, "rows of factors": self.factors}
        given |= {f"rows of the paired source {name!r}": a for name, a in self.paired.items()}
        for what, array in given.items():
            if array is not None and len(array) != len(self.x):
                raise ZooError(f"a split has {len(self.x)} examples but {len(array)} {what}")
        for name, array in self.unpaired.items():
            if len(self.x) and not len(array):
                raise ZooError(
                    f"a split has {len(self.x)} examples and none of the source {name!r}"
                )

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        labels = "" if self.y is None else ", labelled"
        return f"{len(self.x):,} examples {self.x.dtype} {tuple(self.x.shape[1:])}{labels}"

    def first(self, n: int | None) -> Split:
        """The first ``n`` examples of each source; all of them for None."""
        from zoo.plugin.lazy import Lazy, take

        if n is None:
            return self

        def cut(x):
            return take(x, range(min(n, len(x)))) if isinstance(x, Lazy) else x[:n]

        y, factors = (None if a is None else a[:n] for a in (self.y, self.factors))
        paired, unpaired = (
            {name: cut(a) for name, a in own.items()} for own in (self.paired, self.unpaired)
        )
        return Split(cut(self.x), y, factors, paired, unpaired)

    def some(self, n: int | None) -> Split:
        """``n`` examples that stand for all: the first ones, or some of each class.

        Some of each class, in proportion, where the first ones lack a class, as they do where
        examples come from folders.
        """
        import numpy as np

        if n is None or n >= len(self) or self.y is None:
            return self.first(n)
        if len(np.unique(self.y[:n])) == len(np.unique(self.y)):
            return self.first(n)
        by_class = np.argsort(self.y, kind="stable")
        return self.take(np.sort(by_class[np.arange(n) * len(self) // n])).first(n)

    def take(self, rows: np.ndarray) -> Split:
        """The examples of these rows, int64 ``(m,)``; those on disk stay there.

        Unpaired sources stay whole: rows number the first source.
        """
        from zoo.plugin.lazy import take

        y, factors = (None if a is None else a[rows] for a in (self.y, self.factors))
        paired = {name: take(a, rows) for name, a in self.paired.items()}
        return Split(take(self.x, rows), y, factors, paired, self.unpaired)

    def sources(self, spec: DataSpec) -> dict[str, Any]:
        """``{name: array}`` of all sources, the first one first; a single one is ``x``."""
        return {next(iter(spec.shapes)): self.x, **self.paired, **self.unpaired}


@dataclass(frozen=True, eq=False)
class Modes:
    """The parts of a mixture of round Gaussians in equal proportions.

    Attributes:
        centres: their means, float32 ``(k, dimensions)``.
        stddev: standard deviation of each, in every direction.
    """

    centres: np.ndarray
    stddev: float


@dataclass(frozen=True, eq=False)
class Data:
    """A dataset, loaded. The test split is never trained on or tuned with.

    Attributes:
        name: what results and pictures call it, as in ``"digits (stand-in for mnist)"``.
        spec: shape of an example and number of classes.
        train: what weights are learned from.
        validation: what choices are made with.
        test: what is reported.
        fingerprint: SHA-256 of all arrays, hexadecimal; worked out unless given.
        modes: the mixture that the examples are drawn from, where it is known; or None.
        class_names: of the classes in order; empty where they have none.
        factor_names: of the columns of ``Split.factors`` in order; empty where they have none.
    """

    name: str
    spec: DataSpec
    train: Split
    validation: Split
    test: Split
    fingerprint: str = ""
    modes: Modes | None = None
    class_names: tuple[str, ...] = ()
    factor_names: tuple[str, ...] = ()

    def __post_init__(self):
        if self.class_names and len(self.class_names) != self.spec.classes:
            raise ZooError(
                f"{self.name}: {len(self.class_names)} class_names for {self.spec.classes} classes"
            )
        for split in (self.train, self.validation, self.test) if self.factor_names else ():
            columns = 0 if split.factors is None else split.factors.shape[1]
            if columns != len(self.factor_names):
                raise ZooError(
                    f"{self.name}: {len(self.factor_names)} factor_names for {columns} columns of "
                    "Split.factors"
                )
        if not self.fingerprint:
            splits = (self.train, self.validation, self.test)
            arrays = [array for split in splits for array in (split.x, split.y)]
            arrays += [a for s in splits for own in (s.paired, s.unpaired) for a in own.values()]
            object.__setattr__(self, "fingerprint", sha256(*arrays))

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.spec.shape))
        splits = ("train", "validation", "test")
        counts = ", ".join(f"{len(getattr(self, split)):,} {split}" for split in splits)
        classes = f"{self.spec.classes:,} classes" if self.spec.classes else "no labels"
        return f"{self.name}: {shape}, {classes}; {counts}"

    def check(self) -> None:
        """Refuse too many examples, labels out of range, examples in memory that are not finite.

        Likewise sources that are not those of the spec.

        Raises:
            ZooError: naming split, source and row.
        """
        import numpy as np

        from zoo.plugin.examples import check_finite, check_labels
        from zoo.plugin.lazy import in_memory
        from zoo.plugin.limits import MOST_COUNT

        for part in ("train", "validation", "test"):
            split, where = getattr(self, part), f"{self.name}, {part}"
            if len(split) > MOST_COUNT:
                raise ZooError(
                    f"{where}: {len(split):,} examples; up to {MOST_COUNT:,} are accepted"
                )
            if split.y is not None:
                missing = self.spec.missing_labels
                check_labels(np.asarray(split.y), self.spec.classes, where, missing)
            self._check_sources(split, where)
            for name, array in split.sources(self.spec).items():
                if in_memory(array):
                    check_finite(array, f"{where}, {name}" if self.spec.sources else where)

    def _check_sources(self, split: Split, where: str) -> None:
        names = list(self.spec.sources)[1:]
        unpaired = [name for name in names if name in self.spec.unpaired]
        paired = [name for name in names if name not in unpaired]
        for kind, own, wanted in (
            ("paired", split.paired, paired),
            ("unpaired", split.unpaired, unpaired),
        ):
            if sorted(own) != sorted(wanted):
                raise ZooError(
                    f"{where}: the spec says that the {kind} sources beside the first are "
                    f"{', '.join(wanted) or 'none'}, and Split.{kind} holds "
                    f"{', '.join(own) or 'none'}"
                )


@dataclass(frozen=True, kw_only=True)
class Dataset(Checked):
    """Base of all datasets: a frozen dataclass of settings, checked when made.

    Settings of a base are given by name, so that a dataset's own may come first: ``Folder(path)``.

    Attributes:
        batch_size: examples per training step, at least 1.
    """

    batch_size: int = 128

    def __post_init__(self):
        self.check_count("batch_size", 1)

    def load(self, access: Access = ANYWHERE) -> Data:
        """Read the data, wherever ``access`` lets it come from.

        Raises:
            ZooError: the data is not there, or is not what it should be.
        """
        raise NotImplementedError(f"{type(self).__name__} has to define load(access)")


def sha256(*arrays: Any) -> str:
    """One SHA-256 over arrays in C order: of the bytes alone for one array.

    Of several, types and shapes count too, and None holds its place. Arrays that are not in
    memory are read in parts.
    """
    from zoo.plugin.lazy import blocks

    digest = hashlib.sha256()
    for array in arrays:
        if len(arrays) > 1:
            digest.update(b"none" if array is None else f"{array.dtype.str}{array.shape}".encode())
        if array is not None:
            for block in blocks(array):
                digest.update(block.data)
    return digest.hexdigest()
