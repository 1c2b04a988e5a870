"""Where the codes of a trained model lie, and ways through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from zoo.datasets import Split
from zoo.errors import ZooError

DRAWS = 1024  # from a prior, to see where it lies
MEASURED = 256  # examples that the KL of each dimension is the mean of
NOISE = 0.15  # that the mean and deviation of so many draws from N(0, 1) stay below
REACH = 3.0  # standard deviations to each side, which hold all but 0.3% of a normal code


class Unable(ZooError):
    """The model lacks what is asked of it."""


@dataclass(frozen=True)
class Codes:
    """Codes to start from: of examples where the model encodes, else noise.

    Attributes:
        z: float32 ``(n, d)``.
        labels: int32 ``(n,)``, or None.
        x: the examples ``(n, ...)``; None for noise.
        centre: where codes lie in each dimension, float32 ``(d,)``: the mean of the prior, of ``z``
            in a model without one.
        spread: likewise the standard deviation.
        conditional: whether the model needs labels to decode.
        unit: what a 1 in each dimension is, in words, where it is not 1.
    """

    z: np.ndarray
    labels: np.ndarray | None
    x: Any
    centre: np.ndarray
    spread: np.ndarray
    conditional: bool
    unit: str

    @property
    def size(self) -> int:
        """The dimension of the latent."""
        return self.z.shape[1]


def codes(model: Any, split: Split, n: int = 1000, seed: int = 0) -> Codes:
    """Codes of n examples (``Split.some``); without examples or an encoder, n draws of noise.

    The noise is that of ``model.sample(n, seed=seed)``.

    Args:
        model: a ``GenerativeModel``.
        split: examples; a model with a prior needs none.
        n: how many, as far as there are so many.
        seed: of the noise.

    Raises:
        Unable: the model cannot decode, or has neither codes of examples nor a prior.
    """
    if not model.can("decode"):
        raise Unable(f"{model.where} cannot decode, so that its latent space cannot be shown")
    some = split.some(n)
    if model.can("encode") and not (len(some) or model.plugin.can("sample")):
        raise Unable("there are no examples to encode")
    if model.can("encode") and len(some):
        z, labels, x = model.encode(some.x, labels=some.y), some.y, some.x
    else:
        if not model.can("latent"):
            raise Unable(f"{model.where} can neither encode nor has a prior to draw codes from")
        conditional = model.plugin.conditional
        labels = np.arange(n, dtype="int32") % model.data.classes if conditional else None
        z, x = model.draw(n, seed=seed, labels=labels), None
    return around(model, z, labels, x)


def around(model: Any, z: np.ndarray, labels: Any = None, x: Any = None) -> Codes:
    """These codes, and where codes of the model lie: around its prior, else around these.

    Args:
        model: a ``GenerativeModel``.
        z: float ``(n, d)``.
        labels: int32 ``(n,)``, or None.
        x: the examples that they are codes of, or None.
    """
    centre, spread, unit = np.zeros(z.shape[1]), np.ones(z.shape[1]), ""
    if model.plugin.can("latent"):
        prior = model.draw(DRAWS)
        mean, deviation = prior.mean(axis=0), prior.std(axis=0)
        if max(np.abs(mean).max(), np.abs(deviation - 1).max()) > NOISE:
            centre, spread, unit = mean, deviation, "in standard deviations of the prior"
    elif not model.plugin.can("sample"):
        centre, spread, unit = z.mean(axis=0), z.std(axis=0), "in standard deviations of codes"
    return Codes(
        z=z,
        labels=labels,
        x=x,
        centre=centre.astype("float32"),
        spread=spread.astype("float32"),
        conditional=model.plugin.conditional,
        unit=unit,
    )


def plane(found: Codes, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The codes of a manifold grid (Kingma & Welling 2014, figure 4).

    Squares of equal probability under the normal distribution: in each dimension, its quantiles
    at (i + 1/2) / side.

    Args:
        found: of a latent of 2 dimensions.
        side: codes in a row and in a column.

    Returns:
        The codes, float32 ``(side, side, 2)``: the first dimension grows to the right, the
        second upwards. And the quantiles, float64 ``(side,)``, ascending.

    Raises:
        Unable: the latent has another dimension.
    """
    if found.size != 2:
        raise Unable(
            f"a manifold grid shows a latent of 2 dimensions, and this one has {found.size}"
        )
    quantiles = np.array([NormalDist().inv_cdf((i + 0.5) / side) for i in range(side)])
    right, up = np.meshgrid(quantiles, quantiles[::-1])
    z = np.stack([right, up], axis=-1) * found.spread + found.centre
    return z.astype("float32"), quantiles


def traversal(code: np.ndarray, found: Codes, dimensions: Sequence[int], values: np.ndarray):
    """Codes that are one code but for one dimension, which takes these values in turn.

    Args:
        code: ``(d,)``.
        found: whose ``centre`` and ``spread`` the values are relative to.
        dimensions: which ones, k of them.
        values: float ``(m,)``.

    Returns:
        Codes, float32 ``(k, m, d)``.
    """
    z = np.tile(code.astype("float32"), (len(dimensions), len(values), 1))
    for row, i in zip(z, dimensions, strict=True):
        row[:, i] = found.centre[i] + values * found.spread[i]
    return z


def kl(model: Any, found: Codes) -> np.ndarray | None:
    """KL of posterior and prior in each dimension, in nats, float ``(d,)``; the mean over examples.

    Of the examples where they are at hand, else of the pictures that the codes decode to; None of
    a model without a posterior.

    Args:
        model: a ``GenerativeModel``.
        found: codes of data.
    """
    if not (model.can("posterior") and model.can("latent")):
        return None
    n = min(MEASURED, len(found.z))
    labels = None if found.labels is None or not found.conditional else found.labels[:n]
    x = model.decode(found.z[:n], labels=labels) if found.x is None else found.x[:n]
    parts = model.posterior(x, labels=labels).get("kl")
    return None if parts is None else parts.mean(axis=0)


def by_say(found: Codes, kl: np.ndarray | None, of_data: bool) -> list[int]:
    """All dimensions, the one that says most of an example first.

    By KL, else by the variance of the codes of data; those of noise as they are.
    """
    noise = np.zeros(found.size)
    says = kl if kl is not None else found.z.var(axis=0) if of_data else noise
    return np.argsort(-says, kind="stable").tolist()


def linear(a: np.ndarray, b: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """``(1 - t) a + t b`` for each share t: float32 ``(n, m, d)`` from ``(n, d)`` and ``(m,)``."""
    t = shares[None, :, None]
    return ((1 - t) * a[:, None] + t * b[:, None]).astype("float32")


def spherical(a: np.ndarray, b: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Along the great circle (Shoemake 1985): ``(sin((1 - t) w) a + sin(t w) b) / sin(w)``.

    The angle between a and b is w. What is between two draws of noise is as long as they are,
    as draws in many dimensions all are (White 2016); on a straight line it would
    be shorter than any that the model was trained on.

    Args:
        a: ``(n, d)``.
        b: ``(n, d)``.
        shares: t from 0 to 1, ``(m,)``.

    Returns:
        float32 ``(n, m, d)``; of codes in one or in opposite directions, those of ``linear``.
    """
    a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosine = np.divide((a * b).sum(axis=1), lengths, out=np.ones(len(a)), where=lengths > 0)
    angle = np.arccos(np.clip(cosine, -1, 1))[:, None, None]
    t, straight = shares[None, :, None], np.sin(angle) < 1e-6
    sine = np.where(straight, 1.0, np.sin(angle))
    z = (np.sin((1 - t) * angle) * a[:, None] + np.sin(t * angle) * b[:, None]) / sine
    return np.where(straight, linear(a, b, shares), z).astype("float32")


def pairs(order: np.ndarray, n: int, labels: np.ndarray | None = None) -> np.ndarray:
    """The first n pairs of neighbours in an order; of one label each, where labels are given.

    Args:
        order: row numbers.
        n: how many pairs, as far as there are so many.
        labels: of all rows.

    Returns:
        Row numbers, int64 ``(n, 2)``.
    """
    waiting: dict[int, int] = {}
    found: list[tuple[int, int]] = []
    for row in order.tolist():
        label = 0 if labels is None else int(labels[row])
        if label in waiting:
            found.append((waiting.pop(label), row))
        else:
            waiting[label] = row
    return np.array(found[:n], "int64").reshape(-1, 2)


def principal(z: np.ndarray) -> tuple[np.ndarray, float]:
    """The first two principal components of codes.

    Args:
        z: ``(n, d)``, both at least 2.

    Returns:
        Their values, ``(n, 2)``, each component pointing to where its largest weight is
        positive; and the share of the variance that is theirs, in [0, 1].
    """
    from sklearn.decomposition import PCA

    found = PCA(2, random_state=0)
    return found.fit_transform(z), float(found.explained_variance_ratio_.sum())
