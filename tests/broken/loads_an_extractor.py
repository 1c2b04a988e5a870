"""It does not say what tells it from others."""

from dataclasses import dataclass, replace

from tests.broken.sound import Halves


@dataclass(frozen=True)
class Nameless(Halves):
    """Means of halves without a hash."""

    def load(self, data):
        extractor = super().load(data)
        return replace(extractor, sha256="halves")


plugin = Nameless()
