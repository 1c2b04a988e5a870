"""Its features are not float32."""

from dataclasses import dataclass, replace

from tests.broken.sound import Halves


@dataclass(frozen=True)
class Double(Halves):
    """Means of halves in double precision."""

    def load(self, data):
        extractor = super().load(data)
        return replace(extractor, features=lambda x: extractor.features(x).astype("float64"))


plugin = Double()
