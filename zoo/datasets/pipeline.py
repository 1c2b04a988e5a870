"""From a split to the batches of an epoch, each a function of seed, epoch and index."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from zoo.datasets.augmentation import Augmentation
from zoo.errors import ZooError
from zoo.plugin.dataset import Data, Split
from zoo.plugin.lazy import Lazy
from zoo.random import Share, host, host_permutation

_BLOCK = 1024  # rows binarized at a time, to bound memory
_PIXELS = 16  # drawn from what Philox makes at a time


class Batches(keras.utils.PyDataset):
    """Batches of a split, for ``fit``, ``evaluate`` and ``for`` loops.

    Item ``i`` is ``(x, y)``, or ``(x,)`` without labels, of ``batch_size * repeats``
    rows; for a split with several sources, x is a dict ``{"x": ..., "sketch": ...}``.
    It depends on the seed, ``epoch`` and ``i`` alone, so training can go on
    from any step, and is the same on every backend. Give it to ``fit`` with
    ``shuffle=False``: else Keras shuffles the items with Python's global generator.

    The first source sets how many items an epoch has. An unpaired source has an order of its own,
    a new one each epoch and each time that it comes to its end, as often as an epoch needs.

    Args:
        split: what to draw from; data on disk are read a batch at a time.
        batch_size: rows a move.
        seed: of the order, the augmentation and the binarization.
        shuffle: a new order each epoch; else that of the split.
        binarize: draw each pixel, uint8 0 or 255, anew each epoch; for uint8 pictures.
        repeats: batches in an item, for moves that are made several times a step. Above 1,
            rows that do not fill an item are left out; else the last item may be short.
        augment: Keras layers that change pictures at random, before they are binarized. Both
            change the first source alone.

    Attributes:
        epoch: the epoch whose batches are given, from 0. Set it to go elsewhere; ``fit``
            moves it on after each complete pass.
        place: ``(number, processes)`` of a process that reads its rows of each item alone. They
            are what they would be within the whole item.

    Raises:
        ZooError: the split does not fill one item, or cannot be binarized.
    """

    def __init__(
        self,
        split: Split,
        batch_size: int,
        *,
        seed: int,
        shuffle: bool = False,
        binarize: bool = False,
        repeats: int = 1,
        augment: Sequence[keras.layers.Layer] = (),
    ):
        super().__init__()
        if batch_size < 1 or repeats < 1:
            raise ZooError(f"batch_size and repeats are at least 1, not {batch_size}, {repeats}")
        self.split = split
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.binarize = binarize
        self.repeats = repeats
        self.augment = Augmentation(augment, seed) if augment else None
        self.epoch = 0
        self.place: tuple[int, int] | None = None
        self._orders: dict[str, tuple[tuple, np.ndarray]] = {}
        self._passing = self._complete = False
        if binarize and split.x.dtype != np.uint8:
            raise ZooError(f"only uint8 pictures can be binarized, not {split.x.dtype}")
        if len(self) == 0:
            raise ZooError(
                f"{len(split)} examples do not fill one step of {repeats} x {batch_size}: "
                "take a smaller batch_size"
            )

    def __len__(self) -> int:
        rows = self.batch_size * self.repeats
        return len(self.split) // rows if self.repeats > 1 else -(-len(self.split) // rows)

    def __getitem__(self, index: int) -> tuple:
        if not 0 <= index < len(self):
            raise IndexError(f"batch {index} of {len(self)}")
        epoch = self.epoch
        rows, own = self.rows(epoch, index), self._own(index)
        if self.augment:  # a layer changes the batch as one: it has to have all of it
            x = self.augment(_read(self.split.x, rows), epoch, index)[own]
        else:
            x = _read(self.split.x, _within(rows, own))
        if self.binarize:
            bits = host(self.seed, "binarize", epoch, index)
            x = _drawn_within(x, bits, own.start or 0)
        self._complete |= index == len(self) - 1
        split = self.split
        rows = _within(rows, own)
        given: Any = x
        if split.paired or split.unpaired:
            given = {"x": x} | {name: _read(array, rows) for name, array in split.paired.items()}
            for name, array in split.unpaired.items():
                places = self._unpaired(name, epoch, index, own.start or 0, len(x))
                given[name] = _read(array, places)
        return (given,) if split.y is None else (given, split.y[rows])

    def share(self, index: int) -> Share | None:
        """Which rows of each move of an item are read; None where all are."""
        if self.place is None:
            return None
        size = self.batch_size * self.repeats
        rows = min(size, len(self.split) - index * size)
        return Share.part(*self.place, rows // self.repeats)

    def _own(self, index: int) -> slice:
        """Which rows of an item are read."""
        share = self.share(index)
        if share is None:
            return slice(None)
        return slice(share.first * self.repeats, (share.first + share.rows) * self.repeats)

    def rows(self, epoch: int, index: int) -> slice | np.ndarray:
        """Which rows of the split an item of an epoch has."""
        size = self.batch_size * self.repeats
        wanted = slice(index * size, (index + 1) * size)
        return self._order("", len(self.split), epoch)[wanted] if self.shuffle else wanted

    def _unpaired(self, source: str, epoch: int, index: int, start: int, count: int) -> np.ndarray:
        """Which rows of an unpaired source an item of an epoch has, from one of its rows on."""
        n = len(self.split.unpaired[source])
        first = index * self.batch_size * self.repeats + start
        rounds, places = np.divmod(np.arange(first, first + count), n)
        if not self.shuffle:
            return places
        return np.concatenate(
            [
                self._order(source, n, epoch, source, int(turn))[places[rounds == turn]]
                for turn in np.unique(rounds)
            ]
        )

    def _order(self, source: str, n: int, *names: str | int) -> np.ndarray:
        """A permutation of n rows; the last one of each source is kept."""
        kept = self._orders.get(source)
        if kept is None or kept[0] != names:
            kept = names, host_permutation(self.seed, n, "order", *names)
            self._orders[source] = kept
        return kept[1]

    def on_epoch_begin(self) -> None:
        """Called by Keras before a pass."""
        self._passing, self._complete = True, False

    def on_epoch_end(self) -> None:
        """Called by Keras after a pass."""
        # It also calls this before the first pass, and after a peek at one batch.
        if self._passing and self._complete:
            self.epoch += 1
        self._passing = False


def _within(rows: slice | np.ndarray, own: slice) -> slice | np.ndarray:
    """Some of the rows of an item."""
    if isinstance(rows, slice):
        places = range(rows.start, rows.stop)[own]
        return slice(places.start, places.stop)
    return rows[own]


def _read(x: Any, rows: slice | np.ndarray) -> np.ndarray:
    """Some rows, in memory: of a file, read now, and writable, as PyTorch wants it."""
    found = x[rows]
    return np.array(found) if isinstance(found, np.memmap) else found


def binarize_once(x: Any, seed: int, name: str) -> Any:
    """Draw each pixel of value p in [0, 1] as 1 with probability p, once and for all.

    Args:
        x: uint8 pictures of any shape, p being ``x / 255``.
        seed: of the run.
        name: of the split, so that splits are drawn apart.

    Returns:
        uint8 like ``x``, of 0 and 255: an array, or for data on disk what draws the same
        numbers when rows are read.

    Raises:
        ZooError: they are not uint8.
    """
    if x.dtype != np.uint8:
        raise ZooError(f"only uint8 pictures can be binarized, not {x.dtype}")
    if isinstance(x, (Lazy, np.memmap)):
        return _Binarized(x, seed, name)
    bits = host(seed, "binarize", name)
    blocks = [_draw(x[start : start + _BLOCK], bits) for start in range(0, len(x), _BLOCK)]
    return np.concatenate(blocks) if blocks else x.copy()


class _Binarized(Lazy):
    """Pictures that are binarized when they are read, each with its own random numbers."""

    def __init__(self, source: Any, seed: int, name: str):
        self.shape, self.dtype = source.shape, np.dtype(np.uint8)
        self._source, self._key = source, (seed, "binarize", name)

    def read(self, rows):
        x = np.array(self._source[rows])
        if len(rows) and (np.diff(rows) == 1).all():
            return self._drawn(x, int(rows[0]))
        for place, row in enumerate(rows):
            x[place] = self._drawn(x[place : place + 1], int(row))[0]
        return x

    def _drawn(self, x: np.ndarray, first_row: int) -> np.ndarray:
        """Consecutive pictures drawn as ``binarize_once`` draws them within all."""
        return _drawn_within(x, host(*self._key), first_row)


def _drawn_within(x: np.ndarray, bits: np.random.Philox, first_row: int) -> np.ndarray:
    """Consecutive rows drawn as ``_draw`` draws them within all, of which they begin at a row."""
    # Philox makes 4 words of 4 pixels at a time, and can start at any such 16.
    start = first_row * math.prod(x.shape[1:])
    bits.advance(start // _PIXELS)
    skipped = start % _PIXELS
    if not skipped:
        return _draw(x, bits)
    ahead = np.concatenate([np.zeros(skipped, np.uint8), x.ravel()])
    return _draw(ahead, bits)[skipped:].reshape(x.shape)


def _draw(x: np.ndarray, bits: np.random.Philox) -> np.ndarray:
    """uint8 0 or 255 with probability ``x / 255`` of the latter, to 16 bits.

    A pixel is on where its threshold is above a random number: 0 is above none, and
    65535, the threshold of white, above all, as 65535 itself is never drawn.
    """
    raw = bits.random_raw(-(-x.size // 4)).astype("<u8", copy=False)
    drawn = np.minimum(raw.view("<u2")[: x.size], 65534).reshape(x.shape)
    threshold = np.multiply(x, 257, dtype=np.uint16)
    return np.multiply(drawn < threshold, 255, dtype=np.uint8)


def as_evaluated(data: Data, binarize: str | None, seed: int) -> Data:
    """Data whose validation and test pictures are binarized once, where the dataset binarizes.

    Args:
        data: as the dataset loads it.
        binarize: the dataset's setting of this name.
        seed: of the run.
    """
    if not binarize:
        return data
    validation, test = (
        dataclasses.replace(split, x=binarize_once(split.x, seed, name))
        for name, split in (("validation", data.validation), ("test", data.test))
    )
    return dataclasses.replace(data, validation=validation, test=test)
