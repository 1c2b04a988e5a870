"""JSON of what the zoo measures, writes and reads."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MOST_DEPTH = 100
"""Objects and lists within each other, in a file."""

MOST_VALUES = 2_000_000
"""In a file; read, they take some 200 MB."""


def parsed(content: bytes | str) -> Any:
    """What JSON from a file says: not so deep that a walk over it fails, and no more than fits.

    Raises:
        ValueError: it is no JSON, or is deeper or of more values than a file may have.
    """
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    if sum(map(raw.count, (b",", b"[", b"{"))) > MOST_VALUES:  # commas in text count as well
        raise ValueError(f"it has more than {MOST_VALUES:,} values")
    deep = ValueError(f"it is more than {MOST_DEPTH} levels deep")
    try:
        value = json.loads(raw)
    except RecursionError:
        raise deep from None
    if is_deeper(value, MOST_DEPTH):
        raise deep
    return value


def is_deeper(value: Any, most: int) -> bool:
    """Whether objects and lists are more than so many levels deep."""
    level = [value]
    for _ in range(most):
        level = [item for outer in level for item in _within(outer)]
    return bool(level)


def _within(value: Any) -> list[Any]:
    """The objects and lists right within one."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [item for item in inner if isinstance(item, (dict, list))]


def text(value: Any, *, finite: bool = True, ascii_only: bool = True) -> str:
    """A value as JSON, in lines.

    NumPy's numbers and arrays become Python's, and paths become text.

    >>> print(text({"loss": float("nan")}))
    {
      "loss": null
    }

    Args:
        value: made of what JSON has, of NumPy's numbers and arrays, and of paths.
        finite: whether NaN and infinity become null, as other readers than Python's need it.
        ascii_only: whether other characters are escaped.
    """
    if finite:
        value = _finite(value)
    return json.dumps(value, indent=2, ensure_ascii=ascii_only, default=_plain)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if hasattr(value, "tolist"):
        return _finite(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON: {value!r}")
