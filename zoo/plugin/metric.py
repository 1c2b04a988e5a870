"""What every metric is: settings, the abilities it needs, a number with its protocol."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.errors import ZooError
from zoo.plugin.checked import Checked

if TYPE_CHECKING:
    from zoo.datasets import Access, Data, Split
    from zoo.engine.model import GenerativeModel

_AT_ONCE = 1024  # examples of a split held in memory


@dataclass(frozen=True)
class Measured:
    """A number, and what it means.

    Attributes:
        value: the number.
        unit: such as ``"nats"``; empty where there is none.
        protocol: how it was measured, for a reader who would measure it again.
        details: numbers to read beside it, ``{name: number}``.
        facts: what results keep besides, ``{name: text or number}``, such as the judge's hash.
    """

    value: float
    unit: str
    protocol: str
    details: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True)
class Metric(Checked):
    """Base of metrics: a frozen dataclass of settings.

    Attributes:
        name: what results call it.
        needs: the abilities a model must have for it.
        conditional: whether it needs a conditional model, whose samples have labels.
        on_test: whether it needs test examples.
        scales_with: what its time grows with, and what a short evaluation takes fewer of:
            ``"test"`` for test examples, or names of settings that count something. A metric
            that names nothing is always measured whole.
        order: the power that its time grows with, 2 where pairs are compared.
        per_example: a setting that counts draws for each test example, or empty.
        better: which values are: ``"higher"`` or ``"lower"``. A training that is measured as it
            goes then reports the best of them. Empty where none is better in itself.
        paths: names of settings that may lead to files. A run's manifest, which may be a
            stranger's, may only name recipes in them that come with the zoo.
    """

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]]
    conditional: ClassVar[bool] = False
    on_test: ClassVar[bool] = True
    scales_with: ClassVar[tuple[str, ...]] = ()
    order: ClassVar[int] = 1
    per_example: ClassVar[str] = ""
    better: ClassVar[str] = ""
    paths: ClassVar[tuple[str, ...]] = ()

    def check(self, data: Data) -> None:
        """Refuse data that the metric has no meaning for, before anything is trained.

        Raises:
            ZooError: they have no labels, no known modes, or whatever it needs.
        """

    def check_model(self, model: GenerativeModel, data: Data) -> None:
        """Refuse a model that has the abilities, and that the metric has no meaning for.

        Args:
            model: built, trained or not.
            data: as evaluated.

        Raises:
            ZooError: it lacks what the metric needs besides abilities, such as a prior.
        """

    def prepare(self, data: Data, access: Access, runs_folder: str | None) -> Metric:
        """Get what the metric needs besides the model, before the model is trained.

        Args:
            data: what the model will be measured on.
            access: where data may come from, and who is told what happens.
            runs_folder: folder for runs; None for the usual one.

        Returns:
            The metric to measure with: itself, or one that holds what was found.

        Raises:
            ZooError: it cannot be had.
        """
        return self

    def fewest(self, data: Data) -> int:
        """How many of what ``scales_with`` names a short evaluation has to leave, at least."""
        return 1

    def measure(self, model: GenerativeModel, data: Data, seed: int) -> Measured:
        """Measure a trained model.

        Args:
            model: the model.
            data: ``data.test`` is what to measure on, binarized once where the dataset
                binarizes, as is ``data.validation``; ``data.train`` is as it was read.
            seed: seed of what the metric draws.

        Returns:
            The number, with its unit and protocol.
        """
        raise NotImplementedError(f"{type(self).__name__} has to define measure")

    def refuse(self, data: Data, lack: str) -> ZooError:
        """The error for data that lack something."""
        return ZooError(f"metric {self.name!r} needs {lack}, and {data.name} has none")


class NotFinite(ZooError):
    """What a model gives is not finite: a metric of it is NaN, and says why."""


def outcome(metric: Metric, model: GenerativeModel, data: Data, seed: int) -> Measured:
    """What a metric gives; where what a model gives is not finite, that, which is a result too."""
    try:
        return metric.measure(model, data, seed)
    except NotFinite as error:
        return Measured(math.nan, "", str(error), facts={"not_finite": str(error)})


def finite(values: np.ndarray, what: str) -> np.ndarray:
    """The values, ``(n, ...)``.

    Raises:
        NotFinite: some of the n are not finite.
    """
    bad = np.count_nonzero(~np.isfinite(values).reshape(len(values), -1).all(axis=1))
    if bad:
        raise NotFinite(f"{bad:,} of {len(values):,} {what} are not finite")
    return values


def chunks(split: Split) -> Iterator[Split]:
    """A split in parts of bounded size, each in memory."""
    for start in range(0, len(split), _AT_ONCE):
        yield split.take(np.arange(start, min(start + _AT_ONCE, len(split))))


def labelled(split: Split) -> Split:
    """The examples of a split whose label is not missing; all of them where none is."""
    y = np.asarray(split.y)
    return split if (y >= 0).all() else split.take(np.flatnonzero(y >= 0))


def refuse_unlabelled(metric: Metric, data: Data, *splits: str) -> None:
    """Refuse data where a split, ``"train"`` or ``"test"``, has no example with a label.

    Raises:
        ZooError: saying so.
    """
    for name in splits:
        y = getattr(data, name).y
        if y is None or not (np.asarray(y) >= 0).any():
            of = "training" if name == "train" else name
            raise metric.refuse(data, f"labels of {of} examples")


def given_label(model: GenerativeModel) -> str:
    """What a protocol says where the model is given the label of each example."""
    return ", given the label" if model.plugin.conditional else ""


def unit(x: Any) -> np.ndarray:
    """Examples as models give them: float32, pictures in [0, 1]."""
    x = np.asarray(x)
    return x.astype("float32") / 255 if x.dtype == np.uint8 else x.astype("float32")
