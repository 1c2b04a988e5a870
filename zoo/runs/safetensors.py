"""Named arrays in the safetensors format, which holds no code and cannot expand when read.

The format (https://huggingface.co/docs/safetensors): the length of the header as a
little-endian uint64, the header as JSON, then the bytes of all arrays, C-contiguous.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from zoo.errors import ZooError
from zoo.runtime import files, jsons, writer

_NAMES = {
    "bool": "BOOL",
    "int8": "I8",
    "int16": "I16",
    "int32": "I32",
    "int64": "I64",
    "uint8": "U8",
    "uint16": "U16",
    "uint32": "U32",
    "uint64": "U64",
    "float16": "F16",
    "bfloat16": "BF16",
    "float32": "F32",
    "float64": "F64",
}
_MOST_RANK = 32
_MOST_HEADER = 10 << 20  # bytes, some 100,000 arrays: parsed, it takes several times as much


def write(path: Path, arrays: Mapping[str, np.ndarray], below: Path | None) -> str:
    """Write arrays as a file and return its SHA-256; see ``zoo.runtime.writer.write``."""
    return writer.write(path, encoded(arrays), below)


def read(path: Path) -> tuple[dict[str, np.ndarray], str]:
    """The arrays of a file, and its SHA-256.

    Raises:
        FileNotFoundError: there is none.
        ZooError: it cannot be read, or is no such file.
    """
    content = files.read(path, links=True)
    try:
        return decoded(content), hashlib.sha256(content).hexdigest()
    except ValueError as error:
        raise ZooError(f"{path} holds no arrays: {error}") from error


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The shapes of a file's arrays of floats, by name: its header alone is read.

    Raises:
        FileNotFoundError: there is none.
        ZooError: it cannot be read, or is no such file.
    """
    wrong = ZooError(f"{path} holds no arrays")
    length = int.from_bytes(files.read(path, links=True, first=8), "little")
    if length > _MOST_HEADER:
        raise wrong
    try:
        header = jsons.parsed(files.read(path, links=True, first=8 + length)[8:])
        entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
        floats = {n: e["shape"] for n, e in entries.items() if "F" in e["dtype"]}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise wrong from error
    if not all(_is_shape(shape) for shape in floats.values()):
        raise wrong
    return {name: tuple(shape) for name, shape in floats.items()}


def encoded(arrays: Mapping[str, np.ndarray]) -> Iterator[bytes | memoryview]:
    """The parts of a file, one after the other; nothing is copied."""
    header, offset = {}, 0
    for name, array in arrays.items():
        header[name] = {
            "dtype": _NAMES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    yield len(text).to_bytes(8, "little")
    yield text
    for array in arrays.values():
        yield np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def decoded(content: bytes) -> dict[str, np.ndarray]:
    """The arrays of a file, as views of its content, which they cover without overlap or gap.

    Raises:
        ValueError: it is no such file, or contradicts itself.
    """
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > min(len(content) - 8, _MOST_HEADER):
        raise ValueError("no header of the safetensors format")
    start = 8 + length
    try:
        header = jsons.parsed(content[8:start])
        entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
        end = 0
        for first, last in sorted(_offsets(entry) for entry in entries.values()):
            if first != end:
                raise ValueError("arrays that overlap, or leave bytes between them")
            end = last
        if start + end != len(content):
            raise ValueError("arrays that do not end where the file does")
        return {name: _array(entry, content, start) for name, entry in entries.items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a damaged header: {error!r}") from error


def _offsets(entry) -> tuple[int, int]:
    """Where an entry's bytes begin and end."""
    first, last = entry["data_offsets"]
    if not all(type(offset) is int and offset >= 0 for offset in (first, last)):
        raise ValueError("a size that is no number")
    return first, last


def _array(entry, content, start):
    kinds = {kind: name for name, kind in _NAMES.items()}
    dtype, shape, (first, last) = _dtype(kinds[entry["dtype"]]), entry["shape"], _offsets(entry)
    if not _is_shape(shape):
        raise ValueError("a shape that no array has")
    count = math.prod(shape)
    if last - first != count * dtype.itemsize:
        raise ValueError("an array that does not fit its bytes")
    return np.frombuffer(content, dtype, count, start + first).reshape(shape)


def _is_shape(shape) -> bool:
    whole = all(type(size) is int and 0 <= size < 1 << 63 for size in shape)
    return len(shape) <= _MOST_RANK and whole


def _dtype(name: str) -> np.dtype:
    if name == "bfloat16":
        import ml_dtypes  # which JAX, TensorFlow and Keras bring

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(name)
