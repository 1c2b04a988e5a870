"""It draws without the seed."""

import random
from dataclasses import dataclass, replace

from tests.broken.sound import Share


@dataclass(frozen=True)
class Moody(Share):
    """A metric that depends on the day."""

    def measure(self, model, data, seed):
        return replace(super().measure(model, data, seed), value=random.random())


plugin = Moody()
