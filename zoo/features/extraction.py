"""Features of samples and of real pictures, made once for all metrics of an evaluation."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.datasets.pipeline import binarize_once
from zoo.plugin.dataset import Data, sha256
from zoo.plugin.features import Extractor
from zoo.plugin.metric import finite
from zoo.random import host_permutation

if TYPE_CHECKING:
    from zoo.engine.model import GenerativeModel

BLUR = 1.0
"""Standard deviation of the blur of degraded pictures, in pixels."""

NOISE = 0.1
"""Standard deviation of their noise, for pixels in [0, 1]."""

_AT_ONCE = 1024  # pictures in memory
_made: contextvars.ContextVar[dict[Any, np.ndarray] | None]
_made = contextvars.ContextVar("_made", default=None)


@contextlib.contextmanager
def shared() -> Iterator[None]:
    """Within, features of one space are made once, and kept: an evaluation of several metrics."""
    token = _made.set({})
    try:
        yield
    finally:
        _made.reset(token)


@contextlib.contextmanager
def apart() -> Iterator[None]:
    """Within, nothing is kept, and nothing kept is used: to see how long all of it takes."""
    token = _made.set(None)
    try:
        yield
    finally:
        _made.reset(token)


def is_shared() -> bool:
    """Whether features are kept."""
    return _made.get() is not None


@dataclass(frozen=True, eq=False)
class Sets:
    """The sets of features that are compared, each float32 ``(n, d)``, or fewer rows.

    Attributes:
        extractor: the feature space.
        data: as evaluated: ``data.test`` is the real one of the comparison.
        n: pictures of each set, at most as many as there are.
        seed: of the run.
    """

    extractor: Extractor
    data: Data
    n: int
    seed: int

    def samples(self, model: GenerativeModel) -> np.ndarray:
        """Of the first n samples; a set of fewer is the beginning of a larger one."""
        store = _made.get()
        key = ("samples", self.extractor.sha256, id(model), self.seed)
        kept = None if store is None else store.get(key)
        start = 0 if kept is None else len(kept)
        parts = [] if kept is None else [kept]
        for first in range(start, self.n, _AT_ONCE):
            count = min(_AT_ONCE, self.n - first)
            drawn = finite(model.sample(count, seed=self.seed, first=first), "samples")
            parts.append(self.extractor.features(drawn))
        found = np.concatenate(parts) if len(parts) > 1 else parts[0]
        if store is not None and len(found) > start:
            store[key] = found
        return found[: self.n]

    def test(self) -> np.ndarray:
        """Of test pictures, drawn."""
        return self._of("test", self.data.test.x, drawn(self.n, len(self.data.test)))

    def train(self, n: int | None = None) -> np.ndarray:
        """Of training pictures, drawn; binarized where the test pictures are."""
        rows = drawn(self.n if n is None else n, len(self.data.train))
        return self._of("train", self._train(), rows)

    def blurred(self) -> np.ndarray:
        """Of the same training pictures, blurred."""
        return self._of("blur", self._train(), drawn(self.n, len(self.data.train)), blurred)

    def noisy(self) -> np.ndarray:
        """Of the same training pictures with noise."""
        return self._of("noise", self._train(), drawn(self.n, len(self.data.train)), noisy)

    def missing_class(self) -> np.ndarray | None:
        """Of training pictures of all classes but the first; None where none has its label."""
        labels = self.data.train.y
        if labels is None or self.data.spec.classes < 2:
            return None
        labels = np.asarray(labels)
        others = np.flatnonzero(labels > 0)  # without a label, the class is unknown
        if not len(others) or not (labels == 0).any():
            return None
        return self._of("missing_class", self._train(), others[drawn(self.n, len(others))])

    def digest(self) -> str:
        """SHA-256 of some test pictures: that of the data does not tell how they are binarized."""
        return sha256(np.asarray(self.data.test.x[drawn(100, len(self.data.test))]))

    def _train(self):
        """The training pictures, as the test pictures are."""
        train, test = self.data.train.x, self.data.test.x
        some = drawn(_AT_ONCE, len(test)), drawn(_AT_ONCE, len(train))
        of_test, of_train = (
            _is_binary(x, rows) for x, rows in zip((test, train), some, strict=True)
        )
        return binarize_once(train, self.seed, "train") if of_test and not of_train else train

    def _of(
        self,
        name: str,
        x: Any,
        rows: np.ndarray,
        change: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> np.ndarray:
        """Features of some rows, a few pictures at a time."""
        store = _made.get()
        key = (name, self.extractor.sha256, self.data.fingerprint, self.seed, len(rows))
        if store is not None and key in store:
            return store[key]
        parts = []
        for start in range(0, len(rows), _AT_ONCE):
            own = rows[start : start + _AT_ONCE]
            pictures = np.asarray(x[own])
            parts.append(self.extractor.features(change(pictures) if change else pictures))
        found = np.concatenate(parts)
        if store is not None:
            store[key] = found
        return found


def drawn(n: int, of: int) -> np.ndarray:
    """Rows, at most n, drawn from so many in random order: the first m of n are those of m.

    Evenly spaced ones would not do: classes come in a rhythm in some data, such as MNIST.
    """
    return host_permutation(0, of, "features")[:n]


def _is_binary(x: Any, rows: np.ndarray) -> bool:
    return x.dtype == np.uint8 and bool(np.isin(np.asarray(x[rows]), (0, 255)).all())


def blurred(x: np.ndarray, sigma: float = BLUR) -> np.ndarray:
    """Pictures with a Gaussian blur; borders are continued.

    Args:
        x: ``(n, height, width, channels)``, uint8 or float in [0, 1].
        sigma: standard deviation in pixels.

    Returns:
        float32 in [0, 1].
    """
    from scipy.ndimage import gaussian_filter1d

    from zoo.plugin.metric import unit

    x = unit(x)
    for axis in (1, 2):
        x = gaussian_filter1d(x, sigma, axis=axis, mode="nearest")
    return x


def noisy(x: np.ndarray, stddev: float = NOISE) -> np.ndarray:
    """Pictures with normal noise, cut off at black and white; arguments as of ``blurred``."""
    from zoo.plugin.metric import unit

    x = unit(x)
    drawn = np.random.RandomState(0).standard_normal(x.shape).astype("float32")
    return np.clip(x + np.float32(stddev) * drawn, 0, 1)
