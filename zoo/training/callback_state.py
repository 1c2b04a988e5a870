"""What Keras callbacks remember, as a checkpoint holds it.

A callback's state are the attributes that training has changed: numbers, text, arrays, and
lists, tuples, sets, dicts and deques of them. One that remembers otherwise says so itself, by
``get_state()``, which returns such values, and ``set_state(state)``.
"""

from __future__ import annotations

import collections
import types
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import keras
import numpy as np

_NOT_STATE = {"_model", "model", "params", "context"}
_NOTHING = (keras.callbacks.SwapEMAWeights, keras.callbacks.CSVLogger)  # that is not on disk
_OF_THEIR_OWN = ("BackupAndRestore", "OrbaxCheckpoint")
_SEQUENCES = {"list": list, "tuple": tuple, "set": set, "deque": collections.deque}

Encoded = tuple[Any, dict[str, np.ndarray]]
"""A value as JSON, and the arrays that it points to by name."""


class States:
    """The states of callbacks, told by what has changed since they began.

    Args:
        callbacks: as they are after ``on_train_begin``, before anything is trained.
    """

    def __init__(self, callbacks: Sequence[keras.callbacks.Callback]):
        self._callbacks: dict[str, keras.callbacks.Callback] = {}
        counts: collections.Counter[str] = collections.Counter()
        for callback in callbacks:
            kind = type(callback).__name__
            own = type(callback).__module__.startswith("zoo.") and not _says(callback)
            if not own and not isinstance(callback, _NOTHING):
                self._callbacks[f"{kind}.{counts[kind]}"] = callback
                counts[kind] += 1
        self._begun = {name: self._attributes(name) for name in self._callbacks}

    def lost(self) -> dict[str, str]:
        """``{class: why its state is not carried over}``, of those of which that is so."""
        found = {}
        for name, callback in self._callbacks.items():
            kind = type(callback).__name__
            unable = [key for key, value in self._attributes(name).items() if value is None]
            if kind in _OF_THEIR_OWN:
                found[kind] = "it restores a training in a way of its own, so leave it out"
            elif unable:
                found[kind] = f"its {', '.join(unable)} cannot be"
        return found

    def taken(self) -> Encoded:
        """The states now."""
        states: dict[str, dict[str, Any]] = {}
        arrays: dict[str, np.ndarray] = {}
        for name in self._callbacks:
            for key, value in self._attributes(name).items():
                if value is not None and not _same(value, self._begun[name].get(key)):
                    states.setdefault(name, {})[key] = value[0]
                    arrays |= value[1]
        return states, arrays

    def restore(self, states: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Give back what ``taken`` took; a callback that was not there starts afresh."""
        for name, attributes in states.items():
            callback: Any = self._callbacks.get(name)
            if getattr(callback, "monitor_op", True) is None:
                callback._set_monitor_op()  # Keras's, which at its first epoch changes others
            for key, value in attributes.items() if callback else ():
                found = _decoded(value, arrays)
                if key == "get_state()":
                    callback.set_state(found)
                else:
                    setattr(callback, key, found)

    def _attributes(self, name: str) -> dict[str, Encoded | None]:
        """By attribute, its value; None for one that a checkpoint has no form for."""
        callback: Any = self._callbacks[name]
        if _says(callback):
            values = {"get_state()": callback.get_state()}
        else:
            values = {
                key: value
                for key, value in vars(callback).items()
                if not (key in _NOT_STATE or _is_setting(value))
            }
        return {key: _encoded(value, f"callbacks/{name}/{key}") for key, value in values.items()}


def _says(callback: Any) -> bool:
    """Whether it says itself what it remembers. Others of the zoo keep theirs in the run."""
    return hasattr(callback, "get_state") and hasattr(callback, "set_state")


def _is_setting(value: Any) -> bool:
    """Whether a value is code, or another thing that stays as it is."""
    return callable(value) or isinstance(
        value, (PurePath, types.ModuleType, keras.callbacks.Callback)
    )


def _encoded(value: Any, place: str) -> Encoded | None:
    arrays: dict[str, np.ndarray] = {}
    try:
        return _tree(value, place, arrays), arrays
    except (TypeError, RecursionError):
        return None


def _tree(value: Any, place: str, arrays: dict[str, np.ndarray]) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biuf":
        arrays[place] = np.array(value)
        return {"array": place, "scalar": isinstance(value, np.generic)}
    if isinstance(value, dict):
        parts = [[key, item] for key, item in value.items()]
        return {"dict": _tree(parts, place, arrays)["list"]}
    for kind, cls in _SEQUENCES.items():
        if type(value) is cls:
            items = [_tree(item, f"{place}/{i}", arrays) for i, item in enumerate(value)]
            return {kind: items, "most": getattr(value, "maxlen", None)}
    raise TypeError


def _decoded(tree: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if not isinstance(tree, dict):
        return tree
    if "array" in tree:
        array = np.array(arrays[tree["array"]])
        return array[()] if tree["scalar"] else array
    if "dict" in tree:
        return {key: value for key, value in (_decoded(pair, arrays) for pair in tree["dict"])}
    [kind] = [kind for kind in _SEQUENCES if kind in tree]
    items = [_decoded(item, arrays) for item in tree[kind]]
    return collections.deque(items, tree["most"]) if kind == "deque" else _SEQUENCES[kind](items)


def _same(a: Encoded, b: Encoded | None) -> bool:
    if b is None or repr(a[0]) != repr(b[0]):  # as text, where nan is nan
        return False
    return all(np.array_equal(a[1][k], b[1][k], equal_nan=True) for k in a[1])
