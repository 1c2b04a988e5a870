"""It asks for a source that no loss reads."""

from dataclasses import dataclass
from typing import ClassVar

from tests.broken.sound import Small


@dataclass(frozen=True)
class Demanding(Small):
    """An autoencoder that wants masks, for nothing."""

    sources: ClassVar[tuple[str, ...]] = ("picture", "mask")


plugin = Demanding()
