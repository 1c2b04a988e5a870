"""Its probabilities do not sum to one."""

from dataclasses import dataclass, replace

from tests.broken.sound import Halves


@dataclass(frozen=True)
class Scores(Halves):
    """Means of halves as scores."""

    def load(self, data):
        extractor = super().load(data)
        return replace(extractor, probabilities=lambda values: abs(values))


plugin = Scores()
