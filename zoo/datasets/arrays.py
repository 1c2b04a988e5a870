"""Arrays in NumPy's own files: pictures or vectors, of any size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.datasets.files import Damaged, attempt, read_npz
from zoo.datasets.pictures import Pictures
from zoo.errors import ZooError
from zoo.plugin.dataset import ANYWHERE, Access, Data, Split
from zoo.plugin.model import DataSpec

if TYPE_CHECKING:
    import numpy as np

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Arrays(Pictures):
    """Examples from an ``.npz`` archive or an ``.npy`` file; nothing in them is unpickled.

    Pictures are uint8 ``(n, height, width)`` or ``(n, height, width, channels)``; vectors are
    floats ``(n, ...)``, read as float32. An archive has ``x_train`` and perhaps ``y_train``,
    ``x_validation``, ``y_validation``, ``x_test`` and ``y_test``; or ``x`` and perhaps ``y``. An
    ``.npy`` file is the ``x``: it is mapped, not read, so it may be larger than memory.

    Attributes:
        path: the file; a relative one is looked for in ``--data-dir`` or ``ZOO_DATA``, then in
            the current folder.
        labels: an ``.npy`` file of integers from 0, for an ``x`` of its own file; or None.
        validation: share of the training examples held out for validation, in [0, 1), where
            there is no split for it: the same ones every time, each class in proportion.
        test: likewise for test.
    """

    path: str = field(kw_only=True)
    labels: str | None = None
    validation: float = 0.1
    test: float = 0.1

    def __post_init__(self):
        super().__post_init__()
        self.check_share("validation")
        self.check_share("test")

    def load(self, access: Access = ANYWHERE) -> Data:
        """Open the file and split what it holds.

        Raises:
            ZooError: no such file, or arrays in it that are no examples with their labels.
        """
        from zoo.datasets.splits import parted

        path = access.locate(self.path)
        try:
            arrays = dict(attempt(_open, path))
            if self.labels is not None:
                arrays["y"] = attempt(_open, access.locate(self.labels))["x"]
        except Damaged as error:
            raise ZooError(f"{error.path} is not used: {error}") from None
        if "x" in arrays:
            arrays = {f"{name}_train" if name in "xy" else name: a for name, a in arrays.items()}
        if "x_train" not in arrays:
            raise ZooError(
                f"{path} has the arrays {', '.join(arrays) or 'none'}: it needs x_train, or x"
            )
        given = {
            part: _split(arrays[f"x_{part}"], arrays.get(f"y_{part}"), f"{path}, {part}")
            for part in PARTS
            if f"x_{part}" in arrays
        }
        if len({split.x.shape[1:] for split in given.values()}) > 1:
            shapes = ", ".join(f"{part} {split.x.shape[1:]}" for part, split in given.items())
            raise ZooError(f"{path}: examples of one shape are needed, not {shapes}")
        if len({split.y is None for split in given.values()}) > 1:
            raise ZooError(f"{path}: either each split has labels, or none")
        train, validation, test = parted(given, self.validation, self.test, path.stem)
        labels = [int(split.y.max()) for split in given.values() if split.y is not None]
        spec = DataSpec(train.x.shape[1:], classes=max(labels) + 1 if labels else 0)
        return Data(path.stem, spec, self.unbalanced(train), validation, test)


def _open(path: Path) -> Mapping[str, np.ndarray]:
    """The arrays of a file by name, those of ``.npy`` mapped."""
    import numpy as np

    if path.suffix == ".npy":
        return {"x": np.load(path, mmap_mode="r", allow_pickle=False)}
    if path.suffix != ".npz":
        raise ValueError("it is neither .npz nor .npy")
    return read_npz(path)


def _split(x: Any, y: np.ndarray | None, where: str) -> Split:
    """Examples as a model takes them, or a sentence on why it cannot.

    Raises:
        ZooError: types, shapes or labels that are no examples.
    """
    import numpy as np

    from zoo.plugin.lazy import Rows

    picture = x.dtype == np.uint8
    if picture and x.ndim not in (3, 4):
        raise ZooError(
            f"{where}: uint8 pictures are (n, height, width) or (n, height, width, channels), "
            f"not {x.shape}"
        )
    if not picture and (x.dtype.kind != "f" or x.ndim < 2):
        raise ZooError(
            f"{where}: examples are uint8 pictures or float vectors (n, ...), "
            f"not {x.dtype} {x.shape}"
        )
    if len(x) == 0:
        raise ZooError(f"{where}: there are no examples")
    shape = (*x.shape[1:], 1) if x.ndim == 3 and picture else x.shape[1:]
    dtype = np.dtype(np.uint8 if picture else np.float32)
    if isinstance(x, np.memmap):
        x = Rows(x, np.arange(len(x)), shape, dtype)
    else:
        x = x.reshape(len(x), *shape).astype(dtype, copy=False)
    return Split(x, None if y is None else _labels(y, len(x), where))


def _labels(y: np.ndarray, n: int, where: str) -> np.ndarray:
    import numpy as np

    if y.shape != (n,):
        raise ZooError(f"{where}: {n} examples need labels of shape ({n},), not {y.shape}")
    if y.dtype.kind not in "iu" or y.min() < 0:
        raise ZooError(f"{where}: labels are integers from 0, not {y.dtype} from {y.min()}")
    return np.asarray(y).astype(np.int32)
