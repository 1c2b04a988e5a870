"""The range is upside down."""

from dataclasses import dataclass

from tests.broken.sound import Small


@dataclass(frozen=True)
class Inverted(Small):
    """An autoencoder of negatives."""

    value_range = (1.0, 0.0)


plugin = Inverted()
