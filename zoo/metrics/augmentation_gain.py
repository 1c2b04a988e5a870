"""Whether a classifier gains from samples among its training examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.metrics.linear_probe import two_classes
from zoo.plugin.limits import MOST_DRAWS
from zoo.plugin.metric import Measured, Metric, chunks, finite, labelled, refuse_unlabelled, unit
from zoo.runtime.console import counted


@dataclass(frozen=True)
class AugmentationGain(Metric):
    """What samples add to a classifier's accuracy on the test examples, as a difference.

    The classifier is scikit-learn's support vector machine with a radial kernel, C = 10. It is
    fitted to training examples alone, and to them with samples of a conditional model, of the
    classes in turn. Details: ``without`` and ``with``, both accuracies in [0, 1].

    A model that was trained on more than these examples brings what it learned from the others:
    limit its data to as many for a fair answer to what it is worth where labels are few.

    Attributes:
        examples: training examples, at most.
        samples: how many are drawn.
    """

    examples: int = 1000
    samples: int = 5000

    name: ClassVar[str] = "augmentation_gain"
    needs: ClassVar[tuple[str, ...]] = ("sample",)
    better: ClassVar[str] = "higher"
    conditional: ClassVar[bool] = True
    scales_with: ClassVar[tuple[str, ...]] = ("test", "examples", "samples")

    def __post_init__(self):
        self.check_count("examples", 2)
        self.check_count("samples", 1, MOST_DRAWS)

    def check(self, data):
        refuse_unlabelled(self, data, "train", "test")
        two_classes(self, data)

    def measure(self, model, data, seed):
        train, test = two_classes(self, data), labelled(data.test)
        real, labels = _rows(train.x), np.asarray(train.y)
        classes = np.arange(self.samples) % data.spec.classes
        made = model.sample(self.samples, seed=seed, labels=classes)
        made = _rows(finite(made, "samples"))
        alone = _accuracy(real, labels, test)
        both = _accuracy(np.concatenate([real, made]), np.concatenate([labels, classes]), test)
        return Measured(
            both - alone,
            "",
            f"more of {counted(len(test), 'test example')} given their label by a support "
            f"vector machine (radial kernel, C = 10) on {counted(len(train), 'training example')} "
            f"with {counted(self.samples, 'sample')} than by one without",
            {"without": alone, "with": both},
        )


def _accuracy(x, y, test) -> float:
    from sklearn.svm import SVC

    machine = SVC(C=10).fit(x, y)
    right = [machine.predict(_rows(part.x)) == part.y for part in chunks(test)]
    return float(np.concatenate(right).mean())


def _rows(x):
    return unit(x).reshape(len(x), -1)
