"""Pictures with labels, split into training, validation and test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from zoo.errors import ZooError, nearest
from zoo.plugin.dataset import Dataset, Split


@dataclass(frozen=True, kw_only=True)
class Pictures(Dataset):
    """Base of datasets of pictures, which can be made black and white, or unbalanced.

    Attributes:
        binarize: None leaves pictures as they are; with ``"dynamic"`` a pixel of value p in
            [0, 1] is 1 with probability p, drawn anew each epoch in training and once for
            validation and test; with ``"fixed"`` it is drawn once for all.
        imbalance: ``{label: share}`` keeps that share, in [0, 1], of the training examples of
            a class, always the same ones; classes that are not named keep all. Validation and
            test are as they were.
    """

    binarize: str | None = None
    imbalance: Mapping[int, float] | None = None

    BINARIZE: ClassVar[tuple[str, ...]] = ("dynamic", "fixed")

    def __post_init__(self):
        super().__post_init__()
        if self.binarize is not None and self.binarize not in self.BINARIZE:
            guess = nearest(self.binarize, self.BINARIZE)
            raise ZooError(
                f"{type(self).__name__}: binarize is None, 'dynamic' or 'fixed'; "
                f"got {self.binarize!r}{guess}"
            )
        if self.imbalance is not None:
            object.__setattr__(self, "imbalance", _shares(self.imbalance, type(self).__name__))

    def unbalanced(self, train: Split) -> Split:
        """The training examples that ``imbalance`` keeps, in their order.

        Raises:
            ZooError: it names a class that is not there.
        """
        import numpy as np

        from zoo.random import host_permutation

        if not self.imbalance:
            return train
        where = f"{type(self).__name__}.imbalance"
        if train.y is None:
            raise ZooError(f"{where}: these pictures have no labels")
        dropped = []
        for label, share in self.imbalance.items():
            rows = np.flatnonzero(train.y == label)
            if not len(rows):
                raise ZooError(f"{where}: no training picture has the label {label}")
            order = host_permutation(0, len(rows), "imbalance", label)
            dropped.append(rows[order[round(share * len(rows)) :]])
        return train.take(np.setdiff1d(np.arange(len(train)), np.concatenate(dropped)))


def _shares(imbalance: Any, where: str) -> dict[int, float]:
    """``{label: share}``, checked; labels may be text, as in JSON."""
    try:
        shares = {int(label): float(share) for label, share in imbalance.items()}
    except (AttributeError, TypeError, ValueError):
        shares = {-1: 0.0}
    if any(label < 0 or not 0 <= share <= 1 for label, share in shares.items()):
        raise ZooError(
            f"{where}: imbalance is {{label: share}}, with labels from 0 and shares in [0, 1], "
            f"as in {{3: 0.1}}; got {imbalance!r}"
        )
    return shares
