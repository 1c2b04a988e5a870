"""Samplers fitted to the codes of a trained model, for one without a prior or with a poor one.

Ghosh et al. 2020 ("From variational to deterministic autoencoders", section 4) call this
ex-post density estimation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from zoo.errors import ZooError
from zoo.plugin import limits
from zoo.random import Generator

MOST = 10_000  # codes that a sampler is fitted to, the first ones of the training examples


@dataclass(frozen=True)
class GaussianMixture:
    """A mixture of Gaussians with full covariances, fitted by expectation maximization.

    Given as ``Recipe(sampler=...)``, it is fitted when training ends, and the run samples
    from it: a code is drawn, then decoded.

    Attributes:
        components: Gaussians in the mixture.
    """

    components: int = 10

    def __post_init__(self):
        limits.check_count(self, "components", 1, MOST)

    def fit(self, codes: np.ndarray, seed: int = 0) -> Sampler:
        """Fit the mixture.

        Args:
            codes: float ``(n, latent_dim)``, at least as many as there are components.
            seed: of the start of expectation maximization.

        Raises:
            ZooError: too few codes, or some that are not finite.
        """
        from sklearn import mixture

        codes = np.asarray(codes, "float64")[:MOST]
        if len(codes) < max(self.components, 2) or not np.isfinite(codes).all():
            raise ZooError(
                f"{self} cannot be fitted to {len(codes)} codes, which have to be finite and at "
                "least as many as its components"
            )
        fitted = mixture.GaussianMixture(self.components, reg_covar=1e-5, random_state=seed)
        fitted.fit(codes)
        return Sampler(fitted.weights_, fitted.means_, np.linalg.cholesky(fitted.covariances_))


class Sampler:
    """A fitted mixture of Gaussians.

    Args:
        weights: of the components, summing to one, ``(k,)``.
        means: ``(k, d)``.
        factors: lower Cholesky factors of the covariances, ``(k, d, d)``.
    """

    def __init__(self, weights: Any, means: Any, factors: Any):
        self.weights, self.means, self.factors = (
            np.asarray(array, "float64") for array in (weights, means, factors)
        )

    def draw(self, n: int, seed: int) -> np.ndarray:
        """Codes float32 ``(n, d)``; the first m of them are those of ``draw(m, seed)``."""
        rng = Generator(seed, "sampler", on_host=True)
        place = ops.convert_to_numpy(rng.uniform((n, 1)))[:, 0]
        noise = ops.convert_to_numpy(rng.normal((n, self.means.shape[1])))
        component = np.searchsorted(np.cumsum(self.weights)[:-1], place)
        spread = np.einsum("nij,nj->ni", self.factors[component], noise)
        return (self.means[component] + spread).astype("float32")

    def arrays(self) -> dict[str, np.ndarray]:
        """What ``of`` takes, to be written to a file."""
        return {"weights": self.weights, "means": self.means, "factors": self.factors}

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> Sampler:
        """The sampler of what ``arrays`` returned; ``ZooError`` where that is no mixture."""
        try:
            sampler = cls(*(arrays[name] for name in ("weights", "means", "factors")))
        except (KeyError, TypeError, ValueError) as error:
            raise ZooError(f"it holds no sampler: {error!r}") from error
        k, d = sampler.means.shape if sampler.means.ndim == 2 else (0, 0)
        fits = sampler.weights.shape == (k,) and sampler.factors.shape == (k, d, d)
        if not (k and d and fits and all(np.isfinite(a).all() for a in sampler.arrays().values())):
            raise ZooError("it holds no sampler: its arrays do not fit each other")
        return sampler
