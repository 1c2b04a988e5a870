"""It is conditional by name alone."""

from dataclasses import dataclass

from tests.broken.sound import Small


@dataclass(frozen=True)
class Deaf(Small):
    """An autoencoder that asks for labels and ignores them."""

    conditional = True
    classify = None


plugin = Deaf()
