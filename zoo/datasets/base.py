"""What every dataset is: settings that load into train, validation and test."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from zoo.errors import ZooError, nearest
from zoo.plugin import DataSpec

if TYPE_CHECKING:
    import numpy as np


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Access:
    """Where data may come from, and what to do when it cannot be had.

    Attributes:
        data_dir: folder to look in first; default the variable ``ZOO_DATA``.
        strict: refuse to train on a stand-in.
        say: told one line at a time what is downloaded or replaced; default stderr.
    """

    data_dir: Path | None = None
    strict: bool = False
    say: Callable[[str], None] = _to_stderr

    def folders(self) -> tuple[Path, ...]:
        """Folders to look in, in order: the chosen one, then Keras's cache.

        Raises:
            ZooError: the chosen folder is not there or cannot be read.
        """
        keras_home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
        cache = keras_home / "datasets"
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


ANYWHERE = Access()
"""The usual places, with nothing refused: what ``load()`` uses."""


@dataclass(frozen=True, eq=False)
class Split:
    """Examples that are used for one thing: training, validation or test.

    Attributes:
        x: pictures uint8 ``(n, height, width, channels)`` in 0 to 255, or float32
            vectors ``(n, ...)``.
        y: labels int32 ``(n,)`` from 0, or None.
    """

    x: np.ndarray
    y: np.ndarray | None = None

    def __post_init__(self):
        if self.y is not None and len(self.y) != len(self.x):
            raise ZooError(f"a split has {len(self.x)} examples but {len(self.y)} labels")

    def __len__(self) -> int:
        return len(self.x)

    def first(self, n: int | None) -> Split:
        """The first ``n`` examples; all of them for None."""
        return Split(self.x[:n], None if self.y is None else self.y[:n])


@dataclass(frozen=True, eq=False)
class Data:
    """A dataset in memory. The test split is never trained on or tuned with.

    Attributes:
        name: what results and pictures call it, as in ``"digits (stand-in for mnist)"``.
        spec: shape of an example and number of classes.
        train: what weights are learned from.
        validation: what choices are made with.
        test: what is reported.
        fingerprint: SHA-256 of all arrays, hexadecimal; worked out unless given.
    """

    name: str
    spec: DataSpec
    train: Split
    validation: Split
    test: Split
    fingerprint: str = ""

    def __post_init__(self):
        if not self.fingerprint:
            splits = (self.train, self.validation, self.test)
            arrays = [array for split in splits for array in (split.x, split.y)]
            object.__setattr__(self, "fingerprint", sha256(*arrays))


@dataclass(frozen=True)
class Dataset:
    """Base of all datasets: a frozen dataclass of settings, checked when made.

    Attributes:
        batch_size: examples a step, at least 1.
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

    def check_count(self, setting: str, low: int, high: int | None = None) -> None:
        """Refuse a setting that is not an integer from ``low`` to ``high``."""
        value = getattr(self, setting)
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or value < low or (high is not None and value > high):
            limits = f"at least {low:,}" if high is None else f"from {low:,} to {high:,}"
            raise ZooError(
                f"{type(self).__name__}: {setting} is an integer, {limits}; got {value!r}"
            )


@dataclass(frozen=True)
class Pictures(Dataset):
    """Base of datasets whose pictures can be made black and white.

    Attributes:
        binarize: None leaves pictures as they are; with ``"dynamic"`` a pixel of value p in
            [0, 1] is 1 with probability p, drawn anew each epoch in training and once for
            validation and test; with ``"fixed"`` it is drawn once for all.
    """

    binarize: str | None = None

    BINARIZE: ClassVar[tuple[str, ...]] = ("dynamic", "fixed")

    def __post_init__(self):
        super().__post_init__()
        if self.binarize is not None and self.binarize not in self.BINARIZE:
            guess = nearest(self.binarize, self.BINARIZE)
            raise ZooError(
                f"{type(self).__name__}: binarize is None, 'dynamic' or 'fixed'; "
                f"got {self.binarize!r}{guess}"
            )


def sha256(*arrays: np.ndarray | None) -> str:
    """One SHA-256 over arrays in C order: of the bytes alone for one array.

    Of several, types and shapes count too, and None holds its place.
    """
    import numpy as np

    digest = hashlib.sha256()
    for array in arrays:
        if len(arrays) > 1:
            digest.update(b"none" if array is None else f"{array.dtype.str}{array.shape}".encode())
        if array is not None:
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
