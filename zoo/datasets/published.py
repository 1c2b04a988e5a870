"""What datasets share that were published as training and test pictures with labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from zoo.datasets.pictures import Pictures
from zoo.plugin.dataset import Data, Split
from zoo.plugin.model import DataSpec

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Published(Pictures):
    """Base of such datasets, of ten classes.

    Attributes:
        validation: that many of the last training pictures are for validation; may be 0.
        limit: train on the first so many pictures only, for quick trials.
    """

    validation: int = 5_000
    limit: int | None = None

    TRAINING: ClassVar[int]
    """Published training pictures, of which those for validation are a part."""

    def __post_init__(self):
        super().__post_init__()
        self.check_count("validation", 0, self.TRAINING - 1)
        if self.limit is not None:
            self.check_count("limit", 1, self.TRAINING - self.validation)

    def split(self, name: str, arrays: Mapping[str, np.ndarray]) -> Data:
        """The dataset from ``x_train``, ``y_train``, ``x_test`` and ``y_test``."""
        x, y = arrays["x_train"], arrays["y_train"]
        last = len(x) - self.validation
        return Data(
            name=name,
            spec=DataSpec(x.shape[1:], classes=10),
            train=self.unbalanced(Split(x[:last], y[:last]).first(self.limit)),
            validation=Split(x[last:], y[last:]),
            test=Split(arrays["x_test"], arrays["y_test"]),
        )
