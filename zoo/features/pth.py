"""Arrays of a PyTorch file of weights, read without PyTorch and without running what it says.

Such a file is a pickle, which is a program, beside raw numbers: in a zip archive, or one after the
other in files of PyTorch before 1.6. Here only the few operations are carried out that make a
dictionary of tensors, on values of this module's own; any other is refused. Nothing is imported.
"""

from __future__ import annotations

import io
import math
import pickletools
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.errors import ZooError
from zoo.runtime.console import excerpt

MOST_BYTES = 1 << 28
"""Of a file."""

_MOST_OPERATIONS = 100_000
_MOST_PICKLE = 1 << 22  # bytes of what is no raw numbers
_MOST_RANK = 8
_TYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
}
_DAMAGED = (
    *(ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, MemoryError),
    *(zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError),
)
_LEGACY = (0x1950A86A20F9469CFC6C, 1001)  # the first two pickles of a file before 1.6


class _Refused(Exception):
    """The file is not what is read here; the text says why."""


@dataclass(frozen=True)
class _Global:
    """The name of a class or function, which stays a name."""

    name: str


@dataclass(frozen=True)
class _Storage:
    """Raw numbers: their type, the key that they have in the file, and how many they are."""

    dtype: str
    key: str
    count: int


@dataclass(frozen=True)
class _Tensor:
    """A contiguous part of a storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]


def arrays(content: bytes, where: str) -> dict[str, np.ndarray]:
    """The arrays of a file's state dict, by name.

    Args:
        content: of the file, at most ``MOST_BYTES``.
        where: the file, for messages.

    Raises:
        ZooError: it is damaged, or holds something else than a dictionary of tensors.
    """
    try:
        if len(content) > MOST_BYTES:
            raise _Refused(f"it is larger than {MOST_BYTES >> 20} MB")
        zipped = zipfile.is_zipfile(io.BytesIO(content))
        state, numbers = _of_zip(content) if zipped else _of_pickles(content)
        if not isinstance(state, dict):
            raise _Refused(f"it holds {type(state).__name__.strip('_')}, and no dictionary")
        return {name: _array(name, value, numbers) for name, value in state.items()}
    except _Refused as refused:
        raise ZooError(f"{where} is no PyTorch file of weights: {refused}") from None
    except _DAMAGED as error:
        raise ZooError(
            f"{where} is no PyTorch file of weights: it is damaged ({error!r})"
        ) from error


def _array(name: Any, tensor: Any, numbers: Callable[[_Storage], bytes]) -> np.ndarray:
    if not (isinstance(name, str) and isinstance(tensor, _Tensor)):
        raise _Refused(f"{excerpt(str(name))} is no tensor")
    storage, count = tensor.storage, math.prod(tensor.shape)
    raw = numbers(storage)
    if not 0 <= tensor.offset <= storage.count - count:
        raise _Refused(f"tensor {excerpt(name)} leaves its storage")
    return np.frombuffer(raw, storage.dtype)[tensor.offset :][:count].reshape(tensor.shape)


# --- the two kinds of file


def _of_zip(content: bytes) -> tuple[Any, Callable[[_Storage], bytes]]:
    archive = zipfile.ZipFile(io.BytesIO(content))
    entries = {entry.filename: entry for entry in archive.infolist()}
    found = [name for name in entries if name == "data.pkl" or name.endswith("/data.pkl")]
    if len(found) != 1:
        raise _Refused("its archive has no data.pkl")
    folder = found[0].removesuffix("data.pkl")

    def read(name: str) -> bytes:
        entry = entries[name]
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > len(content):
            raise _Refused(f"{excerpt(name)} is compressed")
        return archive.read(entry)

    if f"{folder}byteorder" in entries and read(f"{folder}byteorder") != b"little":
        raise _Refused("its numbers are not little-endian")

    def numbers(storage: _Storage) -> bytes:
        raw = read(f"{folder}data/{storage.key}")
        return _whole(raw, storage)

    return _unpickled(io.BytesIO(read(found[0]))), numbers


def _of_pickles(content: bytes) -> tuple[Any, Callable[[_Storage], bytes]]:
    stream = io.BytesIO(content)
    if (_unpickled(stream), _unpickled(stream)) != _LEGACY:
        raise _Refused("it is neither an archive nor a file of an earlier PyTorch")
    system = _unpickled(stream)
    if not (isinstance(system, dict) and system.get("little_endian") is True):
        raise _Refused("its numbers are not little-endian")
    storages: dict[str, _Storage] = {}
    state, keys = _unpickled(stream, storages), _unpickled(stream)
    if not isinstance(keys, list):
        raise _Refused("it has no list of storages")
    raw = {}
    for key in keys:
        storage = storages[key]
        if int.from_bytes(stream.read(8), "little") != storage.count:
            raise _Refused(f"storage {excerpt(key)} is of another size than it says")
        raw[key] = _whole(stream.read(storage.count * np.dtype(storage.dtype).itemsize), storage)
    return state, lambda storage: raw[storage.key]


def _whole(raw: bytes, storage: _Storage) -> bytes:
    if len(raw) != storage.count * np.dtype(storage.dtype).itemsize:
        raise _Refused(f"storage {excerpt(storage.key)} is of another size than it says")
    return raw


# --- the pickle

_MARK = object()
_VALUES = {  # operations that push what they are followed by
    *("BININT", "BININT1", "BININT2", "LONG1", "BINUNICODE"),
}
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": lambda: (),
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "MARK": lambda: _MARK,
}


def _unpickled(stream: io.BytesIO, storages: dict[str, _Storage] | None = None) -> Any:
    """What one pickle describes; the stream is left behind it."""
    start, stack, memo = stream.tell(), [], {}
    for count, (operation, argument, _) in enumerate(pickletools.genops(stream)):
        if count > _MOST_OPERATIONS or stream.tell() - start > _MOST_PICKLE:
            raise _Refused("its pickle is too long")
        name = operation.name
        if name in _VALUES:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name]())
        elif name == "PROTO":
            continue
        elif name in ("BINPUT", "LONG_BINPUT"):
            memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name == "GLOBAL":
            stack.append(_Global(str(argument).replace(" ", ".")))
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            size = int(name[-1])
            stack[-size:] = [tuple(stack[-size:])]
        elif name == "TUPLE":
            stack.append(tuple(_marked(stack)))
        elif name == "APPENDS":
            items = _marked(stack)
            _checked(stack[-1], list).extend(items)
        elif name == "SETITEMS":
            items = _marked(stack)
            _checked(stack[-1], dict).update(zip(items[::2], items[1::2], strict=True))
        elif name == "SETITEM":
            key, value = stack[-2:]
            del stack[-2:]
            _checked(stack[-1], dict)[key] = value
        elif name == "BINPERSID":
            storage = _storage(stack.pop())
            stack.append(storage)
            if storages is not None:
                storages[storage.key] = storage
        elif name == "REDUCE":
            given, called = stack.pop(), stack.pop()
            stack.append(_called(called, given))
        elif name == "BUILD":  # of what a dictionary has besides: versions of modules
            stack.pop()
            _checked(stack[-1], dict)
        elif name == "STOP":
            [found] = stack
            return found
        else:
            raise _Refused(f"its pickle has the operation {name}, which no state dict needs")
    raise _Refused("its pickle does not end")


def _marked(stack: list[Any]) -> list[Any]:
    """What is above the last mark; it is taken off the stack with the mark."""
    marks = [place for place, item in enumerate(stack) if item is _MARK]
    if not marks:
        raise _Refused("its pickle has no mark where one belongs")
    place = marks[-1]
    items = stack[place + 1 :]
    del stack[place:]
    return items


def _checked(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise _Refused("its pickle changes what it may not")
    return value


def _called(function: Any, given: Any) -> Any:
    """What a call of a known function gives; nothing is called."""
    name = function.name if isinstance(function, _Global) else type(function).__name__
    if name == "collections.OrderedDict" and given == ():
        return {}
    if name == "torch._utils._rebuild_tensor_v2":
        storage, offset, shape, strides, *_ = given
        if not isinstance(storage, _Storage) or not isinstance(shape, tuple):
            raise _Refused("it has a tensor without numbers")
        sizes = (offset, *shape, *strides)
        if not all(type(size) is int and 0 <= size < 1 << 40 for size in sizes):
            raise _Refused("it has a tensor of no size")
        if len(shape) > _MOST_RANK or (math.prod(shape) and strides != _contiguous(shape)):
            raise _Refused("it has a tensor that is not contiguous")
        return _Tensor(storage, offset, shape)
    raise _Refused(f"its pickle calls {excerpt(name)}, which no state dict needs")


def _contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(math.prod(shape[i + 1 :]) for i in range(len(shape)))


def _storage(given: Any) -> _Storage:
    """The storage that a persistent id names, ``("storage", type, key, device, count, ...)``."""
    word, kind, key, _, count = given[:5]
    name = kind.name.removeprefix("torch.") if isinstance(kind, _Global) else ""
    if word != "storage" or name not in _TYPES or type(count) is not int or count < 0:
        raise _Refused(f"it has a storage of type {excerpt(name)}")
    return _Storage(_TYPES[name], _checked(key, str), count)
