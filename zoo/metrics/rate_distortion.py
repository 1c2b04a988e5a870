"""What codes cost, and what is lost: the two parts of the ELBO."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from zoo.errors import ZooError
from zoo.metrics.likelihood import elbos, mean_and_error, said
from zoo.plugin.metric import Measured, Metric
from zoo.runtime.console import counted


@dataclass(frozen=True)
class RateDistortion(Metric):
    """Rate R and distortion D, whose sum is minus the ELBO, in nats. Lower is better.

    R = E_x KL(q(z|x) || p(z)) and D = -E_x E_q log p(x|z) (Alemi et al. 2018, section 2). Models
    of one sum may lie anywhere from R = 0, whose codes say nothing, to D at its least. The rate
    is that of a formula where the posterior has one for the prior, else of one draw of z; D is
    what the ELBO, with one draw of z, leaves. Details: ``rate``, ``distortion``, and the
    standard error of each mean over the examples.
    """

    name: ClassVar[str] = "rate_distortion"
    needs: ClassVar[tuple[str, ...]] = ("log_likelihood", "posterior")
    better: ClassVar[str] = "lower"
    scales_with: ClassVar[tuple[str, ...]] = ("test",)

    def check_model(self, model, data):
        refuse_no_prior(self, model)

    def measure(self, model, data, seed):
        test = data.test
        negative = -elbos(model, test, seed)
        found = model.posterior(test.x, seed=seed, labels=test.y)
        rates = found["rate"].astype("float64")
        (rate, of_rate), (distortion, of_distortion) = (
            mean_and_error(values) for values in (rates, negative - rates)
        )
        how = "its formula" if "kl" in found else "1 draw of z"
        return Measured(
            rate + distortion,
            "nats",
            f"mean over {counted(len(test), 'test example')}{said(model)}, rate by {how}, "
            "distortion by 1 draw of z each",
            {
                "rate": rate,
                "distortion": distortion,
                "rate_standard_error": of_rate,
                "distortion_standard_error": of_distortion,
            },
        )


def refuse_no_prior(metric: Metric, model) -> None:
    """Refuse a model whose codes have no prior to be compared with."""
    if not model.can("latent"):
        raise ZooError(f"metric {metric.name!r} needs a prior, and {model.where} has no latent()")
