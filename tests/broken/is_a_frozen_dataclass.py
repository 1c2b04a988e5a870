"""Its settings are set in ``__init__``, where zoo.model("...") does not find them."""

from tests.broken.sound import Small


class Loose(Small):
    """An autoencoder that forgot @dataclass(frozen=True)."""


plugin = Loose()
