"""What a metric gives for real and for degraded pictures: computed once, and kept in a file.

The files are in ``zoo/references`` of Keras's folder (``KERAS_HOME``, else ``~/.keras``). Each is
named by all that its numbers depend on: none is ever stale, and all may be deleted.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from zoo.errors import ZooError
from zoo.runtime import files, jsons, writer

_BYTES = 1 << 16
_FORMAT = 1


def kept(by: Mapping[str, Any], compute: Callable[[], dict[str, float]]) -> dict[str, float]:
    """The numbers that are kept for what they depend on; computed and kept where there are none.

    Args:
        by: all that they depend on, as JSON has it.
        compute: gives ``{name: finite number}``.
    """
    text = json.dumps({"format": _FORMAT, **by}, sort_keys=True)
    path = folder() / f"{hashlib.sha256(text.encode()).hexdigest()}.json"
    found = _read(path)
    if found is None:
        found = compute()
        # a folder that cannot be written costs time, and no result
        with contextlib.suppress(OSError):
            writer.write(path, json.dumps(found).encode(), below=None)
    return found


def folder() -> Path:
    """Where they are kept."""
    home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    return home / "zoo" / "references"


def _read(path: Path) -> dict[str, float] | None:
    """The numbers of a file; None for none, and for what is no such file."""
    try:
        value = jsons.parsed(files.read(path, _BYTES))
    except (FileNotFoundError, ZooError, ValueError):
        return None
    numbers = isinstance(value, dict) and all(
        type(number) in (int, float) and math.isfinite(number) for number in value.values()
    )
    return value if numbers else None
