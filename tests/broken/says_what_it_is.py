"""It has no docstring."""

from dataclasses import dataclass

from tests.broken.sound import Small


@dataclass(frozen=True)
class Silent(Small):
    depth: int = 1


plugin = Silent()
