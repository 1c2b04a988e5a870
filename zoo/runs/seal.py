"""Which runs were made by this person: they carry a seal, and what they name may be opened again.

The seal is a keyed hash (HMAC, RFC 2104) of what a run says of its data and its metrics. The key
lies in Keras's folder, where its owner alone may read it. A stranger's run has no such seal.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.errors import ZooError
from zoo.runs.manifest import Manifest
from zoo.runtime import files

_BYTES = 32  # of the key


def made(described: Mapping[str, Any]) -> str:
    """The seal of a run that is made now; empty where no key can be kept.

    Args:
        described: fields of the manifest, with ``dataset`` and ``metrics``.
    """
    key = _key() or _new_key()
    return _seal(key, described) if key else ""


def holds(manifest: Manifest) -> bool:
    """Whether a run was made with this person's key, and names the same data and metrics since."""
    key = _key() if manifest.seal else None
    return key is not None and hmac.compare_digest(_seal(key, manifest.json()), manifest.seal)


def _seal(key: bytes, described: Mapping[str, Any]) -> str:
    named = {field: described[field] for field in ("dataset", "metrics")}
    text = json.dumps(named, sort_keys=True, default=str)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _place() -> Path:
    return files.keras_home() / "zoo" / "key"


def _key() -> bytes | None:
    try:
        found = files.read(_place(), _BYTES)
    except (OSError, ZooError):
        return None
    return found if len(found) == _BYTES else None


def _new_key() -> bytes | None:
    """A key, kept; what lies in its place already, whole or damaged, is left as it is."""
    place = _place()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError:
        return _key()  # that another process made meanwhile
    with os.fdopen(descriptor, "wb") as file:
        file.write(os.urandom(_BYTES))
    return _key()
