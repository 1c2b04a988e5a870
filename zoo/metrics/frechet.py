"""The Frechet distance of samples and real pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.features import Inception
from zoo.metrics.space import SpaceMetric


@dataclass(frozen=True)
class Frechet(SpaceMetric):
    """Frechet distance of two normals, fitted to features of samples and of test pictures.

    |m - m'|^2 + tr(C + C' - 2 (C C')^(1/2)) for their means and covariances (Dowson & Landau 1982).
    Lower is better, and 0 is for sets of one mean and covariance. Fewer pictures have a larger
    distance: compare numbers of one n only. It is not defined for fewer pictures than dimensions.

    Attributes:
        space: the feature space; in that of Inception the distance is ``FID``.
        samples: pictures of each set, at most as many as there are test pictures.
    """

    name: ClassVar[str] = "frechet"
    better: ClassVar[str] = "lower"
    in_inception: ClassVar[str] = "FID"

    def title(self):
        return "Frechet distance"

    def least(self, extractor):
        return extractor.dimension

    def compared(self, real, made, extractor):
        return frechet(real, made), {}


@dataclass(frozen=True)
class FID(Frechet):
    """Frechet Inception distance (Heusel et al. 2017): ``Frechet`` in the space of Inception.

    Attributes:
        space: of Inception.
        samples: pictures of each set. Publications mostly have 10,000 or 50,000, and another
            number has another distance.
    """

    space: Inception = Inception()

    name: ClassVar[str] = "fid"
    in_inception: ClassVar[str] = ""


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """Squared Frechet distance of the normals fitted to two sets of features, in float64.

    Covariances are the unbiased ones. tr((C C')^(1/2)) is the sum of the roots of the eigenvalues
    of R' C' R, where C = R R': real by construction, also where a covariance is singular.

    Args:
        a, b: ``(n, d)`` and ``(m, d)``, n and m at least 2.
    """
    (mean, covariance), (other_mean, other) = _moments(a), _moments(b)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0))
    middle = np.linalg.eigvalsh(root.T @ other @ root)
    apart = mean - other_mean
    traces = np.trace(covariance) + np.trace(other)
    return float(apart @ apart + traces - 2 * np.sqrt(np.maximum(middle, 0)).sum())


def _moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    centred = x.astype("float64")
    mean = centred.mean(axis=0)
    centred -= mean
    return mean, centred.T @ centred / (len(x) - 1)
