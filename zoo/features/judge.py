"""What a trained classifier sees: its penultimate layer, and its probabilities."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import ClassVar

import keras
import numpy as np
from keras import ops

from zoo.errors import ZooError
from zoo.features import classifiers
from zoo.features.batches import batched
from zoo.plugin.features import Extractor, FeatureSpace
from zoo.plugin.metric import unit

_AT_ONCE = 256


@dataclass(frozen=True)
class Judge(FeatureSpace):
    """The penultimate layer of a trained classifier: what its last, dense layer is given.

    Probabilities are the classifier's own. Distances of different classifiers do not compare: the
    hash of the weights is in every protocol.

    Attributes:
        classifier: a recipe, by its name or file, or the folder of a run or a pack; see
            ``zoo.metrics.JudgedMetric``. Its data have the shape of the model's.
    """

    classifier: str = classifiers.DEFAULT

    has_classes: ClassVar[bool] = True
    paths: ClassVar[tuple[str, ...]] = ("classifier",)

    def prepare(self, data, access, runs_folder):
        run = classifiers.run_of(self.classifier, data.spec, access, runs_folder)
        return dataclasses.replace(self, classifier=str(run.path.resolve()))

    def load(self, data):
        return _extractor(classifiers.loaded(self.classifier, data.spec))


@functools.lru_cache(maxsize=1)  # the metrics of a run ask the same one
def _extractor(judge: classifiers.TrainedClassifier) -> Extractor:
    network, head = _ending(judge.model, judge.name)
    body = keras.Model(network.inputs, head.input)
    low, high = judge.model.plugin.value_range or (0.0, 1.0)
    of_body = batched(lambda x: body(x, training=False), body.variables, _AT_ONCE)

    def features(x: np.ndarray) -> np.ndarray:
        return of_body(unit(x) * np.float32(high - low) + np.float32(low))

    def probabilities(values: np.ndarray) -> np.ndarray:
        out = head(ops.convert_to_tensor(values))
        out = ops.softmax(out) if head.activation is keras.activations.linear else out
        return ops.convert_to_numpy(out)

    name = f"the penultimate layer of classifier {judge.name}"
    dimension = int(head.input.shape[-1])
    return Extractor(name, judge.sha256, dimension, features, probabilities, judge.facts)


def _ending(model, name: str) -> tuple[keras.Model, keras.layers.Dense]:
    """The network whose last layer gives the classes, and that layer.

    Raises:
        ZooError: there is none, or it takes more than pictures.
    """
    for _, network in model.networks.items():
        layers = getattr(network, "layers", [])
        head = layers[-1] if layers else None
        if not isinstance(head, keras.layers.Dense) or head.units != model.data.classes:
            continue
        if len(network.inputs) == 1 and head.output is network.outputs[0]:
            return network, head
    raise ZooError(
        f"classifier {name} has no features to compare: none of its networks is a keras.Model of "
        "pictures alone that ends in a Dense layer with a unit for each class"
    )
