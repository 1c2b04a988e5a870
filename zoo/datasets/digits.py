"""The 1,797 digits of 8x8 pixels that ship with scikit-learn: no download needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.datasets.pictures import Pictures
from zoo.errors import ZooError
from zoo.plugin.dataset import ANYWHERE, Access, Data, Split
from zoo.plugin.model import DataSpec

if TYPE_CHECKING:
    import numpy as np

HELD_OUT = 200  # for validation, and as many for test


@dataclass(frozen=True)
class Digits(Pictures):
    """The digits of scikit-learn as uint8 ``(n, size, size, 1)``, ten classes.

    1,397 are for training, 200 for validation and 200 for test, always the same
    ones, with each class in proportion.

    Attributes:
        size: pixels a side; other than 8 by bilinear interpolation.
    """

    size: int = 8

    def __post_init__(self):
        super().__post_init__()
        self.check_count("size", 1, 1024)

    def load(self, access: Access = ANYWHERE) -> Data:
        """Read the digits from the installed scikit-learn.

        Raises:
            ZooError: scikit-learn is not installed.
        """
        import numpy as np

        from zoo.datasets.splits import hold_out

        try:
            from sklearn.datasets import load_digits
        except ImportError:
            raise ZooError(
                "the digits ship with scikit-learn, which is not installed: "
                "pip install scikit-learn."
            ) from None
        bunch = load_digits()
        x = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
        x = resize(x, self.size)[..., np.newaxis]
        y = bunch.target.astype(np.int32)
        splits = hold_out(len(y), HELD_OUT, HELD_OUT, y, "digits")
        train, validation, test = (Split(x[rows], y[rows]) for rows in splits)
        spec = DataSpec(x.shape[1:], classes=10)
        return Data("digits", spec, self.unbalanced(train), validation, test)


def resize(x: np.ndarray, size: int) -> np.ndarray:
    """Grey pictures uint8 ``(n, height, width)`` to ``(n, size, size)``, bilinear."""
    import numpy as np
    from PIL import Image

    if x.shape[1:] == (size, size):
        return x
    bilinear = Image.Resampling.BILINEAR
    return np.stack([np.asarray(Image.fromarray(p).resize((size, size), bilinear)) for p in x])
