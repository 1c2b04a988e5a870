"""Its points are float64."""

import dataclasses

from tests.broken.sound import Numbers
from zoo.datasets import Split


@dataclasses.dataclass(frozen=True)
class Long(Numbers):
    """Points with more digits than promised."""

    def load(self, access=None):
        loaded = super().load()
        test = Split(loaded.test.x.astype("float64"), loaded.test.y)
        return dataclasses.replace(loaded, test=test, fingerprint="")


plugin = Long()
