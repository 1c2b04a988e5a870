"""What a model is given from outside, looked at on the host before it reaches a device.

Datasets are checked when they are loaded. Arrays, generators and batches that a person hands to
``fit`` or ``encode`` are held to the same rules here, with the same messages.
"""

from __future__ import annotations

import types
import weakref
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError
from zoo.plugin.examples import check_finite, check_labels
from zoo.plugin.labels import column
from zoo.plugin.limits import MOST_CLASSES
from zoo.plugin.sources import listed, named
from zoo.runtime.console import counted

if TYPE_CHECKING:
    import numpy as np

    from zoo.plugin.model import DataSpec, Model

FIRST = 256  # examples of an array that are looked at
_SLACK = 1e-4  # of a range: what rounding may add to it

_NAMES = (
    "Labels that are names, or count from another number, become classes by "
    "np.unique(y, return_inverse=True)[1]."
)


class Border:
    """What a model accepts, and the checks of it.

    Args:
        model: the plugin; what it says of ``value_range`` and labels counts.
        data: what the model was built for.

    Attributes:
        labelled: whether what entered last came with labels.
    """

    labelled = True

    def __init__(self, model: Model, data: DataSpec):
        self._model, self._data, self._name = model, data, type(model).__name__
        self._known: weakref.WeakSet = weakref.WeakSet()  # datasets that were looked at

    def enter(self, method: str, x: Any, y: Any = None, finite: bool = True) -> tuple[Any, Any]:
        """Look at what ``fit`` and the like are given.

        All labels of arrays are checked; of examples the first 256, or of a dataset or generator
        the first batch, which is read for this and, of a generator, put back.

        Args:
            method: such as ``"fit"``, for messages.
            x: an array ``(n, ...)``, a dict of arrays, a generator, or a dataset of batches.
            y: labels, or None.
            finite: whether examples have to be finite.

        Returns:
            ``(x, y)`` to train with: a new generator for a generator, int32 ``(n,)`` for labels
            that are an array or a list.

        Raises:
            ZooError: what came, what is accepted, and how to convert it.
        """
        import keras
        import numpy as np

        x = _listed(x, len(self._data.shape))
        batch = x
        if not (x is None or hasattr(x, "shape") or isinstance(x, Mapping)):
            if isinstance(x, keras.utils.PyDataset) and x in self._known:
                return x, y  # as each epoch's evaluation is given: it is not read once more
            batch, x = _first_of(x)
            if batch is None:
                return x, y
        else:
            y = np.asarray(y) if isinstance(y, (list, tuple)) else y
            batch = (x, y)
        given, labels, _ = keras.utils.unpack_x_y_sample_weight(batch)
        sources, labels = named(given, labels, self._data, self._name)
        where = f"{self._name}.{method}"
        _check_sizes(sources, where)
        self.labelled = labels is not None
        for name, array in sources.items():
            if _readable(array):
                source = f"{where}, {name}" if self._data.sources else where
                self.examples(_on_host(array[:FIRST]), source, name, finite=finite)
        if labels is None or _readable(labels):
            first = next(iter(sources.values()))
            like = getattr(labels, "shape", ()) == getattr(first, "shape", None)
            if labels is not None and (labels is first or (like and len(labels.shape) > 2)):
                raise ZooError(
                    f"{where}: y is labels, one per example, and no target: the losses are the "
                    f"model's own. Write {method.partition(',')[0]}(x)"
                )
            n = len(first) if _readable(first) else None
            checked = self.labels(labels, n, where, method)
            if isinstance(labels, np.ndarray) and batch is not x:  # 64 bits do not fit everywhere
                if isinstance(x, Mapping):
                    x = {key: checked if part is labels else part for key, part in x.items()}
                y = checked if y is labels else y
        if isinstance(x, keras.utils.PyDataset):
            self._known.add(x)
        return x, y

    def examples(
        self, x: np.ndarray, where: str, source: str = "", unit: bool = False, finite: bool = True
    ) -> None:
        """Refuse examples that a model does not take.

        Pictures are uint8 in 0 to 255, or floats in the model's ``value_range``; other data are
        numbers within float32.

        Args:
            x: ``(n, ...)``.
            where: they are given, for the message.
            source: of the data, where they have several.
            unit: whether pictures are in [0, 1] instead, as abilities take them.
            finite: whether they have to be finite.
        """
        import numpy as np

        shape = self.check_shape(x, source)
        limits = self._model.value_range
        if not len(x):
            return
        if x.dtype.kind not in "biuf" and x.dtype.name != "bfloat16":
            raise ZooError(f"{where}: examples are numbers, not {x.dtype}: x.astype('float32')")
        pictures = bool(limits) and len(shape) == 3
        low, high = (0.0, 1.0) if unit or not limits else limits
        if x.dtype == np.uint8 or (x.dtype.kind in "biu" and not pictures):
            return
        accepted = f"pictures are uint8 in 0 to 255, or float32 in [{low:g}, {high:g}]"
        if x.dtype.kind in "biu":
            raise ZooError(
                f"{where}: examples are {x.dtype} in {x.min()} to {x.max()}; {accepted}. Convert "
                "pictures of 0 to 255 by x.astype('uint8'), others by x.astype('float32')"
            )
        with np.errstate(over="ignore"):  # what float32 has no number for is told
            x = x.astype("float32", copy=False)
        least, most = x.min(), x.max()
        if not np.isfinite(least + most):
            if finite:
                check_finite(x, where)
            return
        slack = _SLACK * (high - low)
        if pictures and not low - slack <= least <= most <= high + slack:
            wrong = least if least < low - slack else most
            row = int(np.argwhere(x == wrong)[0][0])
            raise ZooError(
                f"{where}: row {row} holds {wrong:g}; {accepted}. Convert "
                f"{_conversion(float(least), float(most), low, high)}"
            )

    def check_shape(self, x: Any, source: str = "") -> tuple[int, ...]:
        """Refuse examples of another shape than the model was built for; else give that shape."""
        found, shape = tuple(x.shape[1:]), self._data.sources.get(source, self._data.shape)
        if None not in found and found != shape:
            what = f"{source} of shape" if self._data.sources else "examples of shape"
            raise ZooError(f"{self._name} was built for {what} {shape}; these have {found}")
        return shape

    def first(self, x: Any, y: Any, whole: bool = False) -> tuple[Any, Any]:
        """What an ability is of: the first source of a dict, an array, or a range; and labels.

        The ``whole`` dict of sources is for a view of a batch, as ``fit`` takes it.
        """
        import numpy as np

        if whole:
            self.enter("view", x, y)
            return named(x, y, self._data, self._name)
        if isinstance(x, Mapping):
            sources, y = named(x, y, self._data, self._name)
            x = next(iter(sources.values()))
        x = _listed(x, len(self._data.shape))
        return (x if hasattr(x, "shape") or isinstance(x, range) else np.asarray(x)), y

    def labels(self, y: Any, n: int | None, where: str, method: str) -> np.ndarray | None:
        """Labels as a model takes them.

        Args:
            y: integers from 0, ``(n,)`` or ``(n, 1)``, or one-hot ``(n, classes)``; or None. -1
                is a missing label, where the data declare ``missing_labels``.
            n: how many examples there are; None where that is not known.
            where: they are given, for messages.
            method: such as ``"encode"``, for the message on a model that needs labels.

        Returns:
            int32 ``(n,)``, or None.

        Raises:
            ZooError: they are missing, something else, out of range or of another number.
        """
        import numpy as np

        if y is None:
            if self._model.conditional:
                raise ZooError(f"{self._name} is conditional: to {method}, give labels too")
            return None
        y, hot = column(_on_host(y), where)
        if n is not None and len(y) != n:
            raise ZooError(f"{where}: {n} examples need labels ({n},), not {y.shape}")
        classes = self._data.classes
        if hot > 2 and classes and hot != classes:
            raise ZooError(
                f"{where}: one-hot labels have {classes:,} columns, one per class; these have {hot}"
            )
        hint = "" if method == "sample" else _NAMES  # there is no array to convert
        check_labels(y, classes or MOST_CLASSES, where, self._data.missing_labels, hint)
        return y.astype(np.int32)


def _check_sizes(sources: Mapping[str, Any], where: str) -> None:
    """Refuse sources of different sizes."""
    sizes = {name: len(a) for name, a in sources.items() if _readable(a)}
    if len(set(sizes.values())) > 1:
        counts = listed(f"{counted(n, 'example')} of {name}" for name, n in sizes.items())
        raise ZooError(
            f"{where}: {counts}; give as many of each, such as the first {min(sizes.values()):,}. "
            "A dataset of a recipe may have unpaired sources of other sizes: zoo.train"
        )


def _conversion(least: float, most: float, low: float, high: float) -> str:
    """How pictures of this range become pictures in [low, high]."""
    if least >= 0 and most > 2 and most <= 255:
        return "pictures of 0 to 255 by x.astype('uint8')"
    if (least < 0 <= low) and least >= -1 and most <= 1:
        return "pictures of -1 to 1 by (x + 1) / 2"
    return f"by np.clip(x, {low:g}, {high:g}), if a little is outside, else scale them"


def _listed(x: Any, rank: int) -> Any:
    """What is given in a list: all examples, or one array of them, as Keras's inputs are."""
    import numpy as np

    if not isinstance(x, (list, tuple)) or not x:
        return x
    if len(getattr(x[0], "shape", ())) != rank + 1:  # else it is an array of examples itself
        return np.asarray(x)
    if len(x) > 1:
        raise ZooError(
            f"a list of {len(x)} arrays was given: give examples and labels apart, as in "
            'fit(x, y), and several sources by name, as in fit({"photo": ..., "sketch": ...})'
        )
    return x[0]


def _first_of(batches: Any) -> tuple[Any, Any]:
    """The first of some batches, None if it cannot be read, and the batches to train with."""
    import keras

    if isinstance(batches, types.GeneratorType):
        first = next(batches, None)
        return first, (batches if first is None else _again(first, batches))
    if isinstance(batches, keras.utils.PyDataset):
        return batches[0], batches
    return (next(iter(batches), None) if hasattr(batches, "__iter__") else None), batches


def _again(first: Any, others: types.GeneratorType) -> Iterator[Any]:
    yield first
    yield from others


def _readable(x: Any) -> bool:
    """Whether it is an array or a tensor whose numbers can be looked at."""
    return hasattr(x, "shape") and hasattr(x, "dtype") and hasattr(x, "__getitem__")


def _on_host(x: Any) -> np.ndarray:
    import keras
    import numpy as np

    return keras.ops.convert_to_numpy(x) if keras.ops.is_tensor(x) else np.asarray(x)
