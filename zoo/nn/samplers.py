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

MOST = 10_000  # codes of training examples that a sampler is fitted to


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

    @property
    def fewest(self) -> int:
        """Codes that it can be fitted to."""
        return max(self.components, 2)

    def fit(self, codes: np.ndarray, seed: int = 0, labels: np.ndarray | None = None) -> Sampler:
        """Fit the mixture; with labels, one for each class.

        A class with fewer codes than components has as many components as fit, and one with a
        single code shares the components of all.

        Args:
            codes: float ``(n, latent_dim)``, at least as many as there are components.
            seed: of the start of expectation maximization.
            labels: integers ``(n,)`` of a conditional model, which are drawn for; or None.

        Raises:
            ZooError: too few codes, or some that are not finite.
        """
        codes = np.asarray(codes, "float64")[:MOST]
        if len(codes) < self.fewest or not np.isfinite(codes).all():
            raise ZooError(
                f"{self} cannot be fitted to {len(codes)} codes, which have to be finite and at "
                "least as many as its components"
            )
        if labels is None:
            return Sampler(*self._fitted(codes, seed))
        y = np.asarray(labels)[:MOST]
        own = {label: codes[y == label] for label in np.unique(y).tolist()}
        found = {label: self._fitted(z, seed) for label, z in own.items() if len(z) > 1}
        if not found:  # every code is of a class of its own
            return Sampler(*self._fitted(codes, seed))
        shares = {label: len(own[label]) for label in found}
        weights = [w * shares[c] / sum(shares.values()) for c, (w, _, _) in found.items()]
        classes = np.repeat(list(found), [len(w) for w in weights])
        means, factors = (np.concatenate([part[i] for part in found.values()]) for i in (1, 2))
        return Sampler(np.concatenate(weights), means, factors, classes)

    def _fitted(self, codes: np.ndarray, seed: int) -> tuple[Any, Any, Any]:
        """Weights, means and Cholesky factors."""
        from sklearn import mixture

        count = min(self.components, len(codes))
        fitted = mixture.GaussianMixture(count, reg_covar=1e-5, random_state=seed)
        fitted.fit(codes)
        return fitted.weights_, fitted.means_, np.linalg.cholesky(fitted.covariances_)


class Sampler:
    """A fitted mixture of Gaussians.

    Args:
        weights: of the components, summing to one, ``(k,)``.
        means: ``(k, d)``.
        factors: lower Cholesky factors of the covariances, ``(k, d, d)``.
        classes: the label that each component is for, ``(k,)``; None where they are for all.
    """

    def __init__(self, weights: Any, means: Any, factors: Any, classes: Any = None):
        self.weights, self.means, self.factors = (
            np.asarray(array, "float64") for array in (weights, means, factors)
        )
        self.classes = None if classes is None else np.asarray(classes, "int64")

    def draw(self, n: int, seed: int, labels: Any = None, first: int = 0) -> np.ndarray:
        """Codes float32 ``(n, d)``; the first m of them are those of ``draw(m, seed)``.

        Args:
            n: how many.
            seed: of the noise.
            labels: integers ``(n,)``, for a mixture of each class; None for codes of any class.
            first: how many draws of that seed come before these.
        """
        rng = Generator(seed, "sampler", on_host=True)
        place = ops.convert_to_numpy(rng.uniform((first + n, 1)))[first:, 0]
        noise = ops.convert_to_numpy(rng.normal((first + n, self.means.shape[1])))[first:]
        if self.classes is None or labels is None:
            component = np.searchsorted(np.cumsum(self.weights)[:-1], place)
        else:
            component = self._of_classes(place, np.asarray(labels))
        spread = np.einsum("nij,nj->ni", self.factors[component], noise)
        return (self.means[component] + spread).astype("float32")

    def _of_classes(self, place: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """A component per number in [0, 1), from those of its label; from all where it has none."""
        component = np.zeros(len(place), "int64")
        for label in np.unique(labels).tolist():
            rows = labels == label
            own = np.flatnonzero(self.classes == label)
            own = own if len(own) else np.arange(len(self.weights))
            edges = np.cumsum(self.weights[own]) / self.weights[own].sum()
            component[rows] = own[np.searchsorted(edges[:-1], place[rows])]
        return component

    def arrays(self) -> dict[str, np.ndarray]:
        """What ``of`` takes, to be written to a file."""
        arrays = {"weights": self.weights, "means": self.means, "factors": self.factors}
        return arrays if self.classes is None else {**arrays, "classes": self.classes}

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> Sampler:
        """The sampler of what ``arrays`` returned; ``ZooError`` where that is no mixture."""
        try:
            own = [arrays[name] for name in ("weights", "means", "factors")]
            sampler = cls(own[0], own[1], own[2], arrays.get("classes"))
        except (KeyError, TypeError, ValueError) as error:
            raise ZooError(f"it holds no sampler: {error!r}") from error
        k, d = sampler.means.shape if sampler.means.ndim == 2 else (0, 0)
        fits = sampler.weights.shape == (k,) and sampler.factors.shape == (k, d, d)
        fits = fits and (sampler.classes is None or sampler.classes.shape == (k,))
        if not (k and d and fits and all(np.isfinite(a).all() for a in sampler.arrays().values())):
            raise ZooError("it holds no sampler: its arrays do not fit each other")
        return sampler
