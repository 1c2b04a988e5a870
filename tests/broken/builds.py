"""A player trains a network that is not there."""

from dataclasses import dataclass

from tests.broken.sound import Small


@dataclass(frozen=True)
class Misspelt(Small):
    """An autoencoder whose player names a network wrong."""

    def players(self):
        return {**super().players(), "autoencoder": ("encoder", "decodr")}


plugin = Misspelt()
