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
        limit: keep the first so many pictures at most for training, for validation and for test,
            for quick trials.
    """

    validation: int = 5_000
    limit: int | None = None

    CLASSES: ClassVar[tuple[str, ...]] = ()
    """Names of the classes, where they are more than their numbers."""

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
        given = Split(x[:last], y[:last]), Split(x[last:], y[last:])
        test = Split(arrays["x_test"], arrays["y_test"])
        splits = self.limited(*given, test)
        spec = DataSpec(x.shape[1:], classes=10)
        return Data(name, spec, *splits, class_names=self.CLASSES)

    def limited(self, train: Split, validation: Split, test: Split) -> tuple[Split, Split, Split]:
        """The first pictures of each split, the training ones unbalanced as the settings say."""
        return (
            self.unbalanced(train.first(self.limit)),
            validation.first(self.limit),
            test.first(self.limit),
        )
