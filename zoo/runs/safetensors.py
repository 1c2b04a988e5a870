"""Named arrays in the safetensors format, which holds no code and cannot expand when read.

The format (https://huggingface.co/docs/safetensors): the length of the header as a
little-endian uint64, the header as JSON, then the bytes of all arrays, C-contiguous.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping

import numpy as np

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
_MOST_HEADER = 100_000_000  # as the format's own library has it


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
    """The arrays of a file, as views of its content.

    Raises:
        ValueError: it is no such file, or contradicts itself.
    """
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > min(len(content) - 8, _MOST_HEADER):
        raise ValueError("no header of the safetensors format")
    try:
        header = json.loads(content[8 : 8 + length])
        return {
            name: _array(entry, content, 8 + length)
            for name, entry in header.items()
            if name != "__metadata__"
        }
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"a damaged header: {error!r}") from error


def _array(entry, content, start):
    kinds = {kind: name for name, kind in _NAMES.items()}
    dtype, shape, (first, last) = (
        _dtype(kinds[entry["dtype"]]),
        entry["shape"],
        entry["data_offsets"],
    )
    sizes = [*shape, first, last]
    if not all(isinstance(size, int) and size >= 0 for size in sizes):
        raise ValueError("a size that is no number")
    count = math.prod(shape)
    if last - first != count * dtype.itemsize or start + last > len(content):
        raise ValueError("an array that does not fit its bytes")
    return np.frombuffer(content, dtype, count, start + first).reshape(shape)


def _dtype(name: str) -> np.dtype:
    if name == "bfloat16":
        import ml_dtypes  # which JAX, TensorFlow and Keras bring

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(name)
