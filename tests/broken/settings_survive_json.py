"""A setting is a set, which JSON does not have."""

from dataclasses import dataclass
from typing import Any

from tests.broken.sound import Small


@dataclass(frozen=True)
class Unsayable(Small):
    """An autoencoder with a setting that no file can hold."""

    wanted: Any = frozenset({1, 2})


plugin = Unsayable()
