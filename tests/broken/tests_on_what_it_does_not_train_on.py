"""It tests on its training examples."""

import dataclasses

from tests.broken.sound import Numbers


@dataclasses.dataclass(frozen=True)
class Cheating(Numbers):
    """Points that are known already."""

    def load(self, access=None):
        loaded = super().load()
        return dataclasses.replace(loaded, test=loaded.train)


plugin = Cheating()
