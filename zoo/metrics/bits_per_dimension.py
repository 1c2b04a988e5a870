"""How many bits a number of an example takes under the model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.errors import ZooError
from zoo.metrics.likelihood import SUPPORTS, LogLikelihood, bounds, mean_and_error
from zoo.plugin.metric import Measured, chunks, given_label, unit
from zoo.runtime.console import counted


@dataclass(frozen=True)
class BitsPerDimension(LogLikelihood):
    """-log2 p(x) divided by the numbers in an example, mean over the examples.

    An upper bound of it, by the importance-weighted bound of log p(x). Lower is better.

    It has a meaning where the model's likelihood is of the data as they are
    (``Model.likelihood_support``): of 256 levels for pictures of bytes; of 0 and 1 for pictures
    that are binary or binarized; or a density for vectors of real numbers, whose bits depend on
    their unit and may be negative. A density of pictures of bytes is refused: it grows without
    bound where pixels are constant. So are probabilities of 0 and 1 for shades of grey. Detail:
    ``standard_error`` of the mean over the examples.

    Attributes:
        samples: importance samples an example; memory does not grow with it.
    """

    name: ClassVar[str] = "bits_per_dimension"
    better: ClassVar[str] = "lower"

    def check_model(self, model, data):
        support = model.plugin.likelihood_support
        lack = {
            "levels": "" if data.test.x.dtype == np.uint8 else "pictures of 256 levels",
            "binary": "" if _is_binary(data.test) else "examples of 0 and 1, as binarize makes",
            "real": "vectors of real numbers" if data.test.x.dtype == np.uint8 else "",
        }
        if support not in lack:
            raise ZooError(
                f"metric {self.name!r} needs a model that says what its likelihood is of, which "
                f"{model.where} does not: likelihood_support = {', '.join(map(repr, lack))}"
            )
        if lack[support]:
            raise ZooError(
                f"metric {self.name!r}: the likelihood of {model.where} is of {_SAID[support]}, "
                f"so it needs {lack[support]}, and {data.name} has none. Pictures of bytes have "
                "bits under distributions.DiscretizedLogistic (in a VAE, "
                "model.likelihood=discretized_logistic)"
            )

    def measure(self, model, data, seed):
        test, numbers = data.test, math.prod(data.spec.shape)
        found = bounds(model, test, self.samples, seed) / (-math.log(2) * numbers)
        mean, error = mean_and_error(found)
        return Measured(
            mean,
            "bits per dimension",
            f"mean over {counted(len(test), 'test example')} of {counted(numbers, 'number')}, "
            f"{_SAID[model.plugin.likelihood_support]}{given_label(model)}; "
            f"{counted(self.samples, 'importance sample')} each",
            {"standard_error": error},
        )


_SAID = {**SUPPORTS, "binary": "0 and 1"}


def _is_binary(split) -> bool:
    return all(np.isin(unit(part.x), (0, 1)).all() for part in chunks(split))
