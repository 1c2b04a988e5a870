"""Whether examples of one class are neighbours in the latent space."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from zoo.errors import ZooError
from zoo.metrics.linear_probe import label_accuracy, values
from zoo.plugin.metric import Measured, Metric, labelled, refuse_unlabelled
from zoo.runtime.console import counted


@dataclass(frozen=True)
class KNN(Metric):
    """Test accuracy of a vote among the nearest training codes, in [0, 1].

    Of scikit-learn's ``KNeighborsClassifier``: Euclidean distance of the codes as they are, each
    neighbour with one vote. Details: ``on_data``, the accuracy of one on the examples themselves
    by the same protocol, and ``ratio``, that on the codes divided by it. What a linear probe
    reads may not be near, and the other way round.

    Attributes:
        examples: training examples, at most.
        neighbours: how many vote.
    """

    examples: int = 10_000
    neighbours: int = 10

    name: ClassVar[str] = "knn"
    needs: ClassVar[tuple[str, ...]] = ("encode",)
    better: ClassVar[str] = "higher"
    scales_with: ClassVar[tuple[str, ...]] = ("test", "examples")

    def __post_init__(self):
        self.check_count("neighbours", 1, 1000)
        self.check_count("examples", 2)

    def check(self, data):
        refuse_unlabelled(self, data, "train", "test")
        given = min(self.examples, len(labelled(data.train)))
        if given < self.neighbours:
            raise ZooError(
                f"metric 'knn' takes a vote of {self.neighbours} training examples, and is given "
                f"fewer with a label: {given}"
            )

    def fewest(self, data):
        return self.neighbours

    def measure(self, model, data, seed):
        train, test = labelled(data.train).some(self.examples), labelled(data.test)

        def codes(split):
            return model.encode(split.x, labels=split.y)

        found, itself = (
            label_accuracy(self._vote, features, train, test) for features in (codes, values)
        )
        shown = ", which the model is shown as well" if model.plugin.conditional else ""
        return Measured(
            found,
            "",
            f"share of {counted(len(test), 'test example')} whose label{shown} the "
            f"{self.neighbours} nearest of {counted(len(train), 'training example')} give",
            {"on_data": itself, "ratio": found / itself if itself else math.nan},
        )

    def _vote(self, x, y):
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier(self.neighbours).fit(x, y).predict
