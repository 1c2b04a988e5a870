"""Examples that are read, gathered or drawn when they are asked for, a few at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

BLOCK_BYTES = 1 << 25
"""How much is held at a time where all examples are passed through."""


class Lazy:
    """An array of examples that is not in memory: the base of all such.

    It has what ``zoo.datasets.Split`` asks of an array: ``shape``, ``dtype``, ``len`` and rows by
    number, slice or array of numbers, each time as a new array. ``np.asarray`` reads all of it.

    Attributes:
        shape: of all examples, ``(n, ...)``.
        dtype: uint8 or float32.
    """

    shape: tuple[int, ...]
    dtype: np.dtype

    def read(self, rows: np.ndarray) -> np.ndarray:
        """The examples of these rows, int64 ``(m,)``, each in 0 to n - 1, in their order."""
        raise NotImplementedError(f"{type(self).__name__} has to define read(rows)")

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> np.ndarray:
        """One row by an integer; several by a slice, or by an array of integers or booleans."""
        import numpy as np

        rows = np.arange(len(self))[index]
        return self.read(rows) if rows.ndim else self.read(rows[np.newaxis])[0]

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        import numpy as np

        return self.read(np.arange(len(self))).astype(dtype or self.dtype, copy=False)


class Rows(Lazy):
    """Some rows of an array on disk, or of another lazy one.

    Args:
        source: indexed by an array of row numbers.
        rows: which rows, int64 ``(n,)``.
        shape: of one example, where it is not as stored; of the same size.
        dtype: converted to, where it is not as stored.
    """

    def __init__(self, source: Any, rows: np.ndarray, shape=None, dtype=None):
        import numpy as np

        self.source, self.rows = source, rows
        self.shape = (len(rows), *(source.shape[1:] if shape is None else shape))
        self.dtype = np.dtype(dtype or source.dtype)

    def read(self, rows):
        import numpy as np

        found = np.asarray(self.source[self.rows[rows]])
        return found.reshape(len(rows), *self.shape[1:]).astype(self.dtype, copy=False)


def in_memory(x: Any) -> bool:
    """Whether all of an array is in memory."""
    import numpy as np

    return isinstance(x, np.ndarray) and not isinstance(x, np.memmap)


def take(x: Any, rows: np.ndarray | range) -> Any:
    """Rows of an array: those of one in memory are copied, those of another stay where they are."""
    import numpy as np

    rows = np.asarray(rows)
    return Rows(x, rows) if isinstance(x, (Lazy, np.memmap)) else x[rows]


def blocks(x: Any) -> Iterator[np.ndarray]:
    """All of an array, in slices of about ``BLOCK_BYTES``, as arrays in memory."""
    import numpy as np

    if not x.shape:
        yield np.ascontiguousarray(x)
        return
    bytes_a_row = max(1, x.dtype.itemsize * int(np.prod(x.shape[1:], dtype=np.int64)))
    step = max(1, BLOCK_BYTES // bytes_a_row)
    for start in range(0, len(x), step):
        yield np.ascontiguousarray(x[start : start + step])
