"""Lower bounds of the log-likelihood: the ELBO and the importance-weighted bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.plugin.limits import MOST_DRAWS
from zoo.plugin.metric import Measured, Metric
from zoo.runtime.console import counted

_AT_ONCE = 25  # importance samples an example held in memory


@dataclass(frozen=True)
class ELBO(Metric):
    """Evidence lower bound of log p(x), mean over the examples, in nats.

    E_q[log p(x|z) + log p(z) - log q(z|x)] (Kingma & Welling 2014, equation 2), with one
    draw of z an example. Higher is better.
    """

    name: ClassVar[str] = "elbo"
    needs: ClassVar[tuple[str, ...]] = ("log_likelihood",)
    scales_with: ClassVar[tuple[str, ...]] = ("test",)

    def measure(self, model, data, seed):
        test = data.test
        values = model.log_likelihood(test.x, samples=1, seed=seed, labels=test.y)
        return Measured(
            float(np.mean(values, dtype="float64")),
            "nats",
            f"mean over {counted(len(test), 'test example')}, 1 draw of z each",
        )


@dataclass(frozen=True)
class LogLikelihood(Metric):
    """Importance-weighted bound of log p(x), mean over the examples, in nats.

    E[log 1/k sum_i p(x, z_i) / q(z_i|x)] (Burda et al. 2016, equation 8): tighter than the
    ELBO, and log p(x) itself as k grows. Higher is better.

    Attributes:
        samples: importance samples k an example; memory does not grow with it.
    """

    samples: int = 100

    name: ClassVar[str] = "log_likelihood"
    needs: ClassVar[tuple[str, ...]] = ("log_likelihood",)
    scales_with: ClassVar[tuple[str, ...]] = ("test",)
    per_example: ClassVar[str] = "samples"

    def __post_init__(self):
        self.check_count("samples", 1, MOST_DRAWS)

    def measure(self, model, data, seed):
        test = data.test
        sums = np.full(len(test), -np.inf)
        for start in range(0, self.samples, _AT_ONCE):
            k = min(_AT_ONCE, self.samples - start)
            bound = model.log_likelihood(
                test.x, samples=k, seed=seed, first_sample=start, labels=test.y
            ).astype("float64")
            sums = np.logaddexp(sums, bound + np.log(k))
        return Measured(
            float(np.mean(sums - np.log(self.samples))),
            "nats",
            f"mean over {counted(len(test), 'test example')}, "
            f"{counted(self.samples, 'importance sample')} each",
        )
