"""Its second source has another shape than the spec says."""

import dataclasses

import numpy as np

from tests.broken.sound import Numbers
from zoo.plugin.model import DataSpec


@dataclasses.dataclass(frozen=True)
class Wide(Numbers):
    """Points, and for each a number that comes as two."""

    def load(self, access=None):
        loaded = super().load()
        splits = {
            part: dataclasses.replace(split, paired={"height": np.zeros_like(split.x)})
            for part in ("train", "validation", "test")
            for split in [getattr(loaded, part)]
        }
        spec = DataSpec(classes=3, sources={"point": (2,), "height": (1,)})
        return dataclasses.replace(loaded, spec=spec, fingerprint="", **splits)


plugin = Wide()
