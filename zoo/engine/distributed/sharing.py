"""Work on rows that no step needs, such as measuring: each process does some, and all get all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np

from zoo.engine import distributed
from zoo.random import Share

_is_on = False


@contextlib.contextmanager
def together() -> Iterator[None]:
    """Within, all processes do the same, and share out what a model is asked for.

    Whatever a model or a feature space computes for many rows is computed in pieces of one size;
    each process computes some pieces. A piece has the numbers that it has in one process.
    """
    global _is_on
    before, _is_on = _is_on, distributed.team is not None
    try:
        yield
    finally:
        _is_on = before


def decided(*numbers: int) -> list[int]:
    """What the first process says, in all that are together."""
    return distributed.decided(*numbers) if _is_on else list(numbers)


def own(pieces: range) -> range:
    """Those pieces of some work that this process does, at least one."""
    if not _is_on or len(pieces) < 2:
        return pieces
    share = _share(len(pieces))
    return pieces[share.first : share.first + share.rows]


def gathered(rows: np.ndarray, pieces: range) -> np.ndarray:
    """The rows of all pieces, ``(len(pieces) * size, ...)``, of those of a process's own pieces."""
    if not _is_on or len(pieces) < 2:
        return rows
    share = _share(len(pieces))
    size = len(rows) // share.rows
    found = np.zeros((len(pieces) * size, *rows.shape[1:]), rows.dtype)
    if share.weight:
        found[share.first * size : share.first * size + len(rows)] = rows
    raw = found.tobytes()
    words = np.frombuffer(raw + bytes(-len(raw) % 4), "int32")  # which all backends can add
    assert distributed.team is not None
    whole = distributed.team.total(words).tobytes()[: len(raw)]
    return np.frombuffer(whole, rows.dtype).reshape(found.shape).copy()


def _share(pieces: int) -> Share:
    assert distributed.team is not None
    rank = distributed.team.rank
    return Share.part(rank.number, rank.of, pieces)
