"""Arrays in NumPy's own files: pictures or vectors, of any size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    finite floats ``(n, ...)``, read as float32. An archive has ``x_train`` and perhaps
    ``y_train``, ``x_validation`` (or ``x_val``), ``y_validation``, ``x_test`` and ``y_test``; or
    ``x`` and perhaps ``y``. An ``.npy`` file is the ``x``: it is mapped, not read, so it may be
    larger than memory.

    Labels are integers from 0, text, or one-hot rows ``(n, classes)``. Text gives a class for each
    different one, in the order of their names, which ``Data.class_names`` keeps.

    Attributes:
        path: the file; a relative one is looked for in ``--data-dir`` or ``ZOO_DATA``, then in
            the current folder.
        labels: an ``.npy`` file of labels, for an ``x`` of its own file; or None.
        validation: share of the training examples held out for validation, in [0, 1), where
            there is no split for it: the same ones every time, each class in proportion. With 0
            there is no validation.
        test: likewise for test.
    """

    path: str
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
        from zoo.datasets.labels import Classes, classes_of
        from zoo.datasets.splits import parted

        path = access.locate(self.path)
        x, y = self._read(path, access)
        x = {part: _examples(array, f"{path}, x of {part}") for part, array in x.items()}
        if len({array.shape[1:] for array in x.values()}) > 1:
            shapes = ", ".join(f"{part} {array.shape[1:]}" for part, array in x.items())
            raise ZooError(f"{path}: examples of one shape are needed, not {shapes}")
        for part in [part for part in x if part not in y and y]:
            access.say(f"{path}: x_{part} is not used, as there is no y_{part} for its labels")
            del x[part]
        for part, labels in y.items():
            if len(labels) != len(x[part]):
                raise ZooError(
                    f"{path}, y of {part}: {len(x[part])} examples need labels of shape "
                    f"({len(x[part])},), not {labels.shape}"
                )
        found = classes_of(y, str(path), access.say) if y else Classes({}, 0)
        given = {part: Split(array, found.y.get(part)) for part, array in x.items()}
        train, validation, test = parted(given, self.validation, self.test, path.stem)
        spec = DataSpec(train.x.shape[1:], found.count)
        train = self.unbalanced(train)
        return Data(path.stem, spec, train, validation, test, class_names=found.names)

    def _read(self, path: Path, access: Access) -> tuple[dict[str, Any], dict[str, Any]]:
        """The arrays of examples and of labels, by part."""
        try:
            arrays = dict(attempt(_open, path))
            if self.labels is not None:
                arrays["y"] = attempt(_open_npy, access.locate(self.labels))
        except Damaged as error:
            raise ZooError(f"{error.path} is not used: {error}") from None
        if "x" in arrays:
            arrays = {f"{name}_train" if name in "xy" else name: a for name, a in arrays.items()}
        arrays = {
            name.replace("_val", "_validation") if name in ("x_val", "y_val") else name: a
            for name, a in arrays.items()
        }
        if "x_train" not in arrays:
            raise ZooError(
                f"{path} has the arrays {', '.join(arrays) or 'none'}: it needs x_train, or x"
            )
        x, y = (
            {part: arrays[f"{kind}_{part}"] for part in PARTS if f"{kind}_{part}" in arrays}
            for kind in "xy"
        )
        if (y and "train" not in y) or not y.keys() <= x.keys():
            raise ZooError(
                f"{path} has the arrays {', '.join(arrays)}: labels need their examples, and those "
                "of other splits need y_train"
            )
        return x, y


def _open(path: Path) -> Mapping[str, np.ndarray]:
    """The arrays of a file by name, those of ``.npy`` mapped."""
    if path.suffix == ".npy":
        return {"x": _open_npy(path)}
    if path.suffix != ".npz":
        raise ValueError("it is neither .npz nor .npy")
    return read_npz(path)


def _open_npy(path: Path) -> np.ndarray:
    import numpy as np

    if path.suffix != ".npy":
        raise ValueError("it is no .npy file")
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _examples(x: Any, where: str) -> Any:
    """Examples as a model takes them.

    Raises:
        ZooError: a type, a shape or a value that no example has.
    """
    import numpy as np

    from zoo.plugin.lazy import Rows
    from zoo.plugin.limits import check_finite

    picture = x.dtype == np.uint8
    if picture and x.ndim not in (3, 4):
        raise ZooError(
            f"{where}: uint8 pictures are (n, height, width) or (n, height, width, channels), "
            f"not {x.shape}"
        )
    if not picture and (x.dtype.kind != "f" or x.ndim < 2):
        raise ZooError(
            f"{where}: examples are uint8 pictures or float vectors (n, ...), not {x.dtype} "
            f"{x.shape}. Convert pictures of 0 to 255 by x.astype('uint8'), other numbers by "
            "x.astype('float32')"
        )
    if len(x) == 0:
        raise ZooError(f"{where}: there are no examples")
    shape = (*x.shape[1:], 1) if x.ndim == 3 and picture else x.shape[1:]
    dtype = np.dtype(np.uint8 if picture else np.float32)
    with np.errstate(over="ignore"):  # what float32 has no number for is told below
        if isinstance(x, np.memmap):
            x = Rows(x, np.arange(len(x)), shape, dtype)
        else:
            x = x.reshape(len(x), *shape).astype(dtype, copy=False)
        check_finite(x, where)
    return x
