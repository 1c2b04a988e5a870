"""Lower bounds of the log-likelihood: the ELBO and the importance-weighted bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.plugin.limits import MOST_DRAWS
from zoo.plugin.metric import Measured, Metric, given_label
from zoo.runtime.console import counted

SUPPORTS = {
    "levels": "256 levels",
    "real": "a density of real numbers in their own unit",
}
"""What a likelihood is of, in words, where it is not of 0 and 1."""

_AT_ONCE = 25  # importance samples an example held in memory


@dataclass(frozen=True)
class ELBO(Metric):
    """Evidence lower bound of log p(x), mean over the examples, in nats.

    E_q[log p(x|z) + log p(z) - log q(z|x)] (Kingma & Welling 2014, equation 2), with one
    draw of z an example; of log p(x|y) where the model is given the label y. Higher is better.
    Detail: ``standard_error`` of the mean.
    """

    name: ClassVar[str] = "elbo"
    needs: ClassVar[tuple[str, ...]] = ("log_likelihood",)
    better: ClassVar[str] = "higher"
    scales_with: ClassVar[tuple[str, ...]] = ("test",)

    def measure(self, model, data, seed):
        mean, error = mean_and_error(elbos(model, data.test, seed))
        return Measured(
            mean,
            "nats",
            f"mean over {counted(len(data.test), 'test example')}{said(model)}, 1 draw of z each",
            {"standard_error": error},
        )


@dataclass(frozen=True)
class LogLikelihood(Metric):
    """Importance-weighted bound of log p(x), mean over the examples, in nats.

    E[log 1/k sum_i p(x, z_i) / q(z_i|x)] (Burda et al. 2016, equation 8): tighter than the
    ELBO, and log p(x) itself as k grows; of log p(x|y) where the model is given the label y.
    Higher is better. Detail: ``standard_error`` of the mean over the examples.

    Attributes:
        samples: importance samples k an example; memory does not grow with it.
    """

    samples: int = 100

    name: ClassVar[str] = "log_likelihood"
    needs: ClassVar[tuple[str, ...]] = ("log_likelihood",)
    better: ClassVar[str] = "higher"
    scales_with: ClassVar[tuple[str, ...]] = ("test",)
    per_example: ClassVar[str] = "samples"

    def __post_init__(self):
        self.check_count("samples", 1, MOST_DRAWS)

    def measure(self, model, data, seed):
        mean, error = mean_and_error(bounds(model, data.test, self.samples, seed))
        return Measured(
            mean,
            "nats",
            f"mean over {counted(len(data.test), 'test example')}{said(model)}, "
            f"{counted(self.samples, 'importance sample')} each",
            {"standard_error": error},
        )


def said(model) -> str:
    """What the likelihood is of, as protocols say it: numbers of others do not compare."""
    of = SUPPORTS.get(model.plugin.likelihood_support, "")
    return (f", {of}" if of else "") + given_label(model)


def elbos(model, split, seed) -> np.ndarray:
    """The ELBO of each example with one draw of z, in nats, float64 ``(n,)``."""
    found = model.log_likelihood(split.x, samples=1, seed=seed, labels=split.y)
    return found.astype("float64")


def bounds(model, split, samples, seed) -> np.ndarray:
    """The importance-weighted bound of each example, in nats, float64 ``(n,)``.

    Samples are drawn a few at a time, and their weights are added up.
    """
    sums = np.full(len(split), -np.inf)
    for start in range(0, samples, _AT_ONCE):
        k = min(_AT_ONCE, samples - start)
        bound = model.log_likelihood(
            split.x, samples=k, seed=seed, first_sample=start, labels=split.y
        ).astype("float64")
        sums = np.logaddexp(sums, bound + np.log(k))
    return sums - np.log(samples)


def mean_and_error(values) -> tuple[float, float]:
    """The mean of numbers of examples, and its standard error: 0 for a single one."""
    n = len(values)
    deviation = float(np.std(values, ddof=1)) if n > 1 else 0.0
    return float(np.mean(values, dtype="float64")), deviation / n**0.5
