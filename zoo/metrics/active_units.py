"""How many dimensions of a latent space a model uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.plugin.metric import Measured, Metric, finite, given_label
from zoo.runtime.console import counted

LEAST = 0.01
"""Variance of the posterior's mean over examples that makes a unit active."""


@dataclass(frozen=True)
class ActiveUnits(Metric):
    """Latent dimensions whose posterior mean differs from example to example.

    Dimension i is active where Cov_x(E_q[z_i|x]) > 0.01 (Burda et al. 2016, section 5.2), over
    the test examples. Details: ``kl_0`` and so on, the KL(q(z_i|x) || p(z_i)) of each dimension
    in nats, mean over them, where the model has a prior and the posterior a formula for it.
    """

    name: ClassVar[str] = "active_units"
    needs: ClassVar[tuple[str, ...]] = ("posterior",)
    better: ClassVar[str] = "higher"
    scales_with: ClassVar[tuple[str, ...]] = ("test",)

    def measure(self, model, data, seed):
        test = data.test
        found = model.posterior(test.x, seed=seed, labels=test.y)
        variances = finite(found["mean"], "posterior means").var(axis=0, dtype="float64")
        kl = found["kl"].mean(axis=0, dtype="float64") if "kl" in found else np.empty(0)
        return Measured(
            int((variances > LEAST).sum()),
            f"of {counted(len(variances), 'dimension')}",
            f"the posterior's mean varies by more than {LEAST:g} over "
            f"{counted(len(test), 'test example')}{given_label(model)}",
            {f"kl_{i}": float(value) for i, value in enumerate(kl)},
        )
