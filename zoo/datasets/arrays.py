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

    With ``sources=("photo", "sketch")`` an archive has ``photo_train``, ``sketch_train`` and so on,
    or ``photo`` and ``sketch``, in place of those of x: each of pictures or of vectors.

    Attributes:
        path: the file; a relative one is looked for in ``--data-dir`` or ``ZOO_DATA``, then in
            the current folder.
        labels: an ``.npy`` file of labels, for an ``x`` of its own file; or None.
        validation: share of the training examples held out for validation, in [0, 1), where
            there is no split for it: the same ones every time, each class in proportion. With 0
            there is no validation.
        test: likewise for test.
        sources: names of the sources, the first one first; empty for x alone. ``binarize``
            changes the first.
        unpaired: those of them, but for the first, whose rows do not belong to rows of the first:
            they may be more or fewer.
        missing_labels: whether labels may be -1, for examples without one.
    """

    path: str
    labels: str | None = None
    validation: float = 0.1
    test: float = 0.1
    sources: tuple[str, ...] = ()
    unpaired: tuple[str, ...] = ()
    missing_labels: bool = False

    def __post_init__(self):
        super().__post_init__()
        self.check_share("validation")
        self.check_share("test")
        for setting in ("sources", "unpaired"):
            object.__setattr__(self, setting, tuple(getattr(self, setting)))
        DataSpec((1,), 0, dict.fromkeys(self.sources, (1,)), self.unpaired)  # refuses bad names

    def load(self, access: Access = ANYWHERE) -> Data:
        """Open the file and split what it holds.

        Raises:
            ZooError: no such file, or arrays in it that are no examples with their labels.
        """
        from zoo.datasets.labels import Classes, classes_of
        from zoo.datasets.splits import parted

        path = access.locate(self.path)
        names = self.sources or ("x",)
        arrays, y = self._read(path, access, names)
        arrays = {
            name: {part: _examples(a, f"{path}, {name} of {part}") for part, a in own.items()}
            for name, own in arrays.items()
        }
        x = arrays[names[0]]
        for name, own in arrays.items():
            if len({array.shape[1:] for array in own.values()}) > 1:
                told = ", ".join(f"{part} {array.shape[1:]}" for part, array in own.items())
                which = "" if name == "x" else f" in {name}"
                raise ZooError(f"{path}: examples of one shape are needed{which}, not {told}")
        for part in [part for part in x if part not in y and y]:
            access.say(
                f"{path}: {names[0]}_{part} is not used, as there is no y_{part} for its labels"
            )
            del x[part]
        for part, labels in y.items():
            if len(labels) != len(x[part]):
                raise ZooError(
                    f"{path}, y of {part}: {len(x[part])} examples need labels of shape "
                    f"({len(x[part])},), not {labels.shape}"
                )
        found = Classes({}, 0)
        if y:
            found = classes_of(y, str(path), access.say, missing=self.missing_labels)
        given = {}
        for part, array in x.items():
            others = {name: arrays[name][part] for name in names[1:]}
            unpaired = {name: others.pop(name) for name in self.unpaired}
            given[part] = Split(array, found.y.get(part), None, others, unpaired)
        train, validation, test = parted(given, self.validation, self.test, path.stem)
        shapes = {name: own["train"].shape[1:] for name, own in arrays.items()}
        spec = DataSpec(
            shapes[names[0]],
            found.count,
            shapes if self.sources else {},
            self.unpaired,
            self.missing_labels and bool(y),
        )
        train = self.unbalanced(train)
        return Data(path.stem, spec, train, validation, test, class_names=found.names)

    def _read(
        self, path: Path, access: Access, names: tuple[str, ...]
    ) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
        """The arrays of each source, ``{source: {part: array}}``, and those of labels, by part."""
        try:
            arrays = dict(attempt(_open, path))
            if self.labels is not None:
                arrays["y"] = attempt(_open_npy, access.locate(self.labels))
        except Damaged as error:
            raise ZooError(f"{error.path} is not used: {error}") from None
        there = ", ".join(arrays) or "none"
        first = names[0]
        if first in arrays:
            bare = (*names, "y")
            arrays = {f"{name}_train" if name in bare else name: a for name, a in arrays.items()}
        short = {f"{name}_val": f"{name}_validation" for name in (*names, "y")}
        arrays = {short.get(name, name): a for name, a in arrays.items()}
        if f"{first}_train" not in arrays:
            raise ZooError(f"{path} has the arrays {there}: it needs {first}_train, or {first}")
        *sources, y = (
            {part: arrays[f"{kind}_{part}"] for part in PARTS if f"{kind}_{part}" in arrays}
            for kind in (*names, "y")
        )
        if (y and "train" not in y) or not y.keys() <= sources[0].keys():
            raise ZooError(
                f"{path} has the arrays {there}: labels need their examples, and those "
                "of other splits need y_train"
            )
        for name, own in zip(names, sources, strict=True):
            if own.keys() != sources[0].keys():
                needed = ", ".join(f"{name}_{part}" for part in sources[0])
                raise ZooError(
                    f"{path} has the arrays {there}: beside those of {first} it needs {needed}"
                )
        return dict(zip(names, sources, strict=True)), y


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

    from zoo.plugin.examples import check_finite
    from zoo.plugin.lazy import Rows

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
