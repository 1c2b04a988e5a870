"""JSON of what the zoo measures and writes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any


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
