"""How far the codes of all examples together are from the prior."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.metrics.rate_distortion import refuse_no_prior
from zoo.plugin.metric import Measured, Metric, finite, given_label
from zoo.runtime.console import counted


@dataclass(frozen=True)
class AggregatePosterior(Metric):
    """Kolmogorov-Smirnov distance of the aggregate posterior from the prior, in [0, 1].

    The aggregate posterior is q(z) = E_x q(z|x) (Makhzani et al. 2015; Hoffman & Johnson 2016).
    One draw of it for each test example is compared with as many draws of the prior, a dimension
    at a time: the distance is the largest difference of the two empirical distribution
    functions. The value is the mean over dimensions; lower is better. It says nothing of how
    dimensions depend on each other. Details: ``largest``; ``floor``, what draws of one
    distribution have on average; and ``z0`` and so on, each dimension's.
    """

    name: ClassVar[str] = "aggregate_posterior"
    needs: ClassVar[tuple[str, ...]] = ("posterior",)
    better: ClassVar[str] = "lower"
    scales_with: ClassVar[tuple[str, ...]] = ("test",)

    def check_model(self, model, data):
        refuse_no_prior(self, model)

    def measure(self, model, data, seed):
        test = data.test
        draws = model.posterior(test.x, seed=seed, labels=test.y)["draw"]
        labels = test.y if model.plugin.conditional else None
        prior = model.draw(len(test), seed=seed, labels=labels, fitted=False)
        distances = kolmogorov_smirnov(finite(draws, "draws of q(z)"), prior)
        return Measured(
            float(distances.mean()),
            "",
            f"mean over {counted(len(distances), 'dimension')} of the Kolmogorov-Smirnov distance "
            f"of {counted(len(test), 'draw')} from q(z), one per test example{given_label(model)}, "
            "and as many of p(z)",
            {
                "largest": float(distances.max()),
                "floor": math.sqrt(math.pi / 2) * math.log(2) * math.sqrt(2 / len(test)),
                **{f"z{i}": float(distance) for i, distance in enumerate(distances)},
            },
        )


def kolmogorov_smirnov(a, b) -> np.ndarray:
    """The distance of two samples in each dimension, ``(n, d)`` and ``(m, d)`` to ``(d,)``."""
    from scipy.stats import ks_2samp

    pairs = zip(np.asarray(a, "float64").T, np.asarray(b, "float64").T, strict=True)
    return np.array([ks_2samp(*pair, method="asymp").statistic for pair in pairs])
