"""Metrics in which a classifier judges what a model makes."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from zoo.features import classifiers
from zoo.plugin.dataset import Data
from zoo.plugin.metric import Metric
from zoo.plugin.model import DataSpec


@dataclasses.dataclass(frozen=True)
class JudgedMetric(Metric):
    """Base of metrics in which a trained classifier judges what the model makes.

    Attributes:
        classifier: a recipe, by its name or file: the pretrained model of that name, else its
            newest finished run, on the data that the recipe loads here, trained first where there
            is none; or the folder of a run or a pack. ``"runs:NAME"`` leaves the pretrained
            model out.
    """

    classifier: str = classifiers.DEFAULT

    paths: ClassVar[tuple[str, ...]] = ("classifier",)

    def judged(self, spec: DataSpec) -> DataSpec:
        """What the classifier has to be for, given what the model is for."""
        return spec

    def check(self, data):
        if not data.spec.is_image:
            raise self.refuse(data, "pictures")

    def prepare(self, data, access, runs_folder):
        spec = self.judged(data.spec)
        run = classifiers.run_of(self.classifier, spec, access, runs_folder)
        return dataclasses.replace(self, classifier=str(run.path.resolve()))

    def judge(self, data: Data) -> classifiers.TrainedClassifier:
        """The classifier for these data, loaded.

        Raises:
            ZooError: it is for data of another shape, or is no classifier.
        """
        return classifiers.loaded(self.classifier, self.judged(data.spec))
