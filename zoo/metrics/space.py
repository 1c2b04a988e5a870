"""Metrics that compare samples with real pictures in a feature space."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

import zoo
from zoo.errors import ZooError
from zoo.features import Inception, Judge
from zoo.features import references as kept_references
from zoo.features.extraction import BLUR, NOISE, Sets, is_shared
from zoo.plugin import serialization
from zoo.plugin.features import Extractor, FeatureSpace
from zoo.plugin.limits import MOST_DRAWS
from zoo.plugin.metric import Measured, Metric
from zoo.runtime.console import counted

if TYPE_CHECKING:
    from zoo.plugin.dataset import Data


@dataclass(frozen=True)
class SpaceMetric(Metric):
    """Base of metrics of samples in a feature space, beside the same number for real pictures.

    As many samples as test pictures are compared. Details: ``real``, the value for training
    pictures in place of the samples; and for the same pictures degraded, ``blur`` (Gaussian, a
    standard deviation of 1 pixel), ``noise`` (normal, a standard deviation of 0.1 of pixels in
    [0, 1]) and, where there are classes, ``missing_class``, training pictures without the first
    one. Those for which there are fewer training pictures than samples are left out. They are
    kept from one evaluation to the next.

    Attributes:
        space: the feature space.
        samples: pictures of each set, at most as many as there are test pictures.
    """

    space: FeatureSpace = Judge()
    samples: int = 10_000

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ("sample",)
    scales_with: ClassVar[tuple[str, ...]] = ("samples",)
    of_classes: ClassVar[bool] = False
    """Whether the space has to give probabilities of classes."""
    against_real: ClassVar[bool] = True
    """Whether samples are compared with test pictures."""
    unit: ClassVar[str] = ""
    in_inception: ClassVar[str] = ""
    """The class that this metric is in the space of Inception, where it has a name of its own."""

    def __post_init__(self):
        self.check_count("samples", 2, MOST_DRAWS)
        if self.in_inception and isinstance(self.space, Inception):
            raise ZooError(
                f"metric {self.name!r} in the space of Inception is metrics.{self.in_inception}"
            )
        if self.of_classes and not self.space.has_classes:
            raise ZooError(
                f"metric {self.name!r} needs a feature space with classes, such as features.Judge, "
                f"and {type(self.space).__name__} has none"
            )

    def check(self, data):
        self.space.check(data)

    def prepare(self, data, access, runs_folder):
        space = self.space.prepare(data, access, runs_folder)
        ready = dataclasses.replace(self, space=space, samples=min(self.samples, len(data.test)))
        ready.refuse_few(space.load(data), ready.samples, data)
        return ready

    def refuse_few(self, extractor: Extractor, n: int, data: Data) -> None:
        """Refuse sets of so few pictures that the number would mean nothing.

        Raises:
            ZooError: saying how many there have to be.
        """
        if n < self.least(extractor):
            raise ZooError(
                f"metric {self.name!r} needs at least {self.least(extractor):,} pictures in each "
                f"set, for {extractor.name} has {extractor.dimension:,} dimensions; {data.name} "
                f"has {counted(len(data.test), 'test picture')}, and {n:,} are to be compared. "
                "Metric 'kid' has no such limit"
            )

    def least(self, extractor: Extractor) -> int:
        """The fewest pictures of each set that it has a meaning for."""
        return 2

    def fewest(self, data):
        return self.least(self.space.load(data))

    def measure(self, model, data, seed):
        extractor = self.space.load(data)
        n = min(self.samples, len(data.test))
        self.refuse_few(extractor, n, data)
        sets = Sets(extractor, data, n, seed)
        real = sets.test() if self.against_real else None
        value, details = self.compared(real, sets.samples(model), extractor)
        both = " and as many test pictures" if self.against_real else ""
        references = self.references(sets)
        said = {
            "real": "; real of as many training pictures, blur and noise of the same blurred "
            f"(sigma {BLUR:g}) and with noise (sigma {NOISE:g})",
            "missing_class": ", missing_class without class 0",
        }
        others = "".join(words for name, words in said.items() if name in references)
        return Measured(
            value,
            self.unit,
            f"{self.title()} of {counted(n, 'sample')}{both} in {extractor.name}{others}",
            {**details, **references},
            facts=facts(extractor),
        )

    def title(self) -> str:
        """What the protocol calls the number."""
        raise NotImplementedError(f"{type(self).__name__} has to define title")

    def compared(
        self, real: np.ndarray | None, made: np.ndarray, extractor: Extractor
    ) -> tuple[float, dict[str, float]]:
        """The number and its details, of features float32 ``(n, d)`` of test pictures and samples.

        The first are None where the metric is of samples alone.
        """
        raise NotImplementedError(f"{type(self).__name__} has to define compared")

    def references(self, sets: Sets) -> dict[str, float]:
        """The number for real and for degraded pictures, as kept or computed now."""

        def compute() -> dict[str, float]:
            others: dict[str, Any] = {
                "real": sets.train,
                "blur": sets.blurred,
                "noise": sets.noisy,
                "missing_class": sets.missing_class,
            }
            found: dict[str, float] = {}
            for name, features in others.items():
                made = features()
                if made is None or len(made) < sets.n:  # a number of another n does not compare
                    continue
                real = sets.test() if self.against_real else None
                found[name] = self.compared(real, made, sets.extractor)[0]
            return found

        code = _code(type(self))
        if not is_shared() or not code:
            return compute()
        settings = serialization.plain(self)
        by = {
            "metric": f"{type(self).__module__}:{type(self).__qualname__}",
            "code": code,
            "settings": {k: v for k, v in settings.items() if k not in ("space", "samples")},
            "space": sets.extractor.sha256,
            "data": sets.data.fingerprint,
            "test": sets.digest(),
            "n": sets.n,
        }
        return kept_references.kept(by, compute)


def _code(metric: type) -> str:
    """The zoo's version and the SHA-256 of the file that defines a metric; empty without a file."""
    try:
        content = Path(inspect.getfile(metric)).read_bytes()
    except (OSError, TypeError):  # as in a notebook
        return ""
    return f"{zoo.__version__} {hashlib.sha256(content).hexdigest()}"


def facts(extractor: Extractor) -> dict[str, str | float]:
    """What results keep of a feature space."""
    return {"space": extractor.name, "space_sha256": extractor.sha256, **extractor.facts}
