"""Distributions of examples and codes: posteriors, likelihoods and priors.

A posterior or a likelihood is made from what a network gives, one row per example:
``q = Normal.of(nets.encoder(x))``. A prior is a setting of a model: ``StandardNormal(16)``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from keras import ops

from zoo.errors import ZooError, unknown
from zoo.nn import losses
from zoo.nn.losses.examples import summed
from zoo.plugin import limits

LOG_2_PI = math.log(2 * math.pi)


class Distribution:
    """What all distributions have."""

    shape: tuple[int, ...]
    """Shape of one example or code."""

    support: ClassVar[str] = "real"
    """The values that it is of: ``"real"`` numbers, whose ``log_prob`` is of a density;
    ``"binary"``, 0 and 1; or ``"levels"``, 256 of them in [0, 1]."""

    def sample(self, rng, n: Any = None):
        """Draw with a loss's or ability's ``rng``.

        Args:
            rng: the ``zoo.random.Generator`` to draw from.
            n: number of samples of a prior. A distribution made from a network's outputs gives
                one sample per row, whatever n is.

        Returns:
            float32 ``(n, *shape)``.
        """
        raise NotImplementedError(f"{type(self).__name__} has no samples")

    def log_prob(self, x):
        """Log density, or log probability, in nats: ``(n, *shape)`` to ``(n,)``."""
        raise NotImplementedError(f"{type(self).__name__} has no log_prob")


# --- of what a network gives, one row an example ---------------------------------------


class _Rows(Distribution):
    """A distribution of given rows; its parameters are outputs of a network.

    Attributes:
        names: names of the parameters; the first has the shape of an example.
    """

    names: ClassVar[tuple[str, ...]]

    @classmethod
    def of(cls, outputs):
        """From what a network gives: one tensor, or a list of them in the order of ``names``."""
        given = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        return cls(*given)

    @classmethod
    def parameters(
        cls, shape: Sequence[int], shared_scale: bool = False
    ) -> dict[str, tuple[int, ...]]:
        """The outputs that a network needs, ``{name: shape}``, as ``zoo.nn.networks`` takes them.

        Args:
            shape: shape of one example.
            shared_scale: whether one learned number is the scale of all outputs. Otherwise the
                network gives a scale for each.
        """
        first, *scales = cls.names
        return {first: tuple(shape)} | {
            name: () if shared_scale else tuple(shape) for name in scales
        }

    @property
    def mean(self):
        """The mean, float32 ``(n, *shape)``."""
        raise NotImplementedError

    @property
    def shape(self):  # type: ignore[override]
        return tuple(self.mean.shape[1:])

    def rows(self, which):
        """The distribution of some of the rows, by their numbers: int32 ``(m,)``, in any order."""
        parameters = (getattr(self, name) for name in self.names)
        return type(self)(*(ops.take(tensor, which, axis=0) for tensor in parameters))


class Bernoulli(_Rows):
    """Independent Bernoulli variables (Kingma & Welling 2014, appendix C.1).

    Args:
        logits: float32 ``(n, ...)``.
    """

    names = ("logits",)
    support = "binary"

    def __init__(self, logits):
        self.logits = logits

    @property
    def mean(self):
        return ops.sigmoid(self.logits)

    def sample(self, rng, n=None):
        """Zeros and ones, float32 ``(n, ...)``."""
        return ops.cast(rng.uniform(ops.shape(self.logits)) < self.mean, "float32")

    def log_prob(self, x):
        """Log probability in nats, ``(n,)``, of x in [0, 1]."""
        return -losses.bernoulli(x, self.logits)


class Normal(_Rows):
    """Independent normal variables (Kingma & Welling 2014, appendix C.2).

    Args:
        mean, log_var: float32 ``(n, ...)``; ``log_var`` is the logarithm of the variance.
    """

    names = ("mean", "log_var")

    def __init__(self, mean, log_var):
        self._mean, self.log_var = mean, log_var

    @property
    def mean(self):
        return self._mean

    def sample(self, rng, n=None):
        """``mean + stddev * noise``, through which gradients pass (the reparameterization)."""
        return self.mean + ops.exp(0.5 * self.log_var) * rng.normal(ops.shape(self.mean))

    def samples(self, rng, times: int):
        """Several samples of each row, which are neighbours: ``(n * times, *shape)``."""
        q, rows = self.repeated(times), ops.shape(self.mean)[0]
        noise = rng.normal((rows, times * math.prod(self.shape)))  # keyed by the row
        return q.mean + ops.exp(0.5 * q.log_var) * ops.reshape(noise, ops.shape(q.mean))

    def log_prob(self, x):
        return -losses.normal(x, self.mean, self.log_var)

    def repeated(self, times: int) -> Normal:
        """The distribution of what ``samples(rng, times)`` gives: each row so many times."""
        return Normal(*(ops.repeat(t, times, axis=0) for t in (self.mean, self.log_var)))

    def kl(self, prior: Distribution):
        """KL(self || prior) in nats, ``(n,)``.

        Args:
            prior: ``StandardNormal``, or a ``Normal`` of n rows, or of one row for all.

        Raises:
            ZooError: the prior is another one. The difference of the two ``log_prob`` of a
                sample estimates the KL from any other.
        """
        return summed(self.kl_per_dimension(prior))

    def kl_per_dimension(self, prior: Distribution):
        """As ``kl``, one value per dimension: ``(n, d)``."""
        if isinstance(prior, StandardNormal):
            return losses.kl_per_dimension(self.mean, self.log_var)
        if isinstance(prior, Normal):
            variances = ops.exp(self.log_var - prior.log_var)
            shift = ops.square(self.mean - prior.mean) * ops.exp(-prior.log_var)
            return 0.5 * (shift + variances - 1.0 + prior.log_var - self.log_var)
        raise ZooError(
            f"Normal.kl has a formula for StandardNormal and Normal, not for "
            f"{type(prior).__name__}: take q.log_prob(z) - p.log_prob(z) of a sample z of q"
        )


class DiscretizedLogistic(_Rows):
    """Pixels of 256 levels under logistic variables that are rounded (Kingma et al. 2016).

    Args:
        mean, log_scale: float32 ``(n, ...)``, in the units of pixels in [0, 1].
    """

    names = ("mean", "log_scale")
    support = "levels"

    def __init__(self, mean, log_scale):
        self._mean, self.log_scale = mean, log_scale

    @property
    def mean(self):
        return self._mean

    def sample(self, rng, n=None):
        """Pixels in [0, 1], at levels of 1 / 255."""
        u = rng.uniform(ops.shape(self.mean))
        x = self.mean + ops.exp(self.log_scale) * (ops.log(u) - ops.log1p(-u))
        return ops.clip(ops.round(x * 255.0) / 255.0, 0.0, 1.0)

    def log_prob(self, x):
        """Log probability in nats, ``(n,)``, of x in [0, 1], at levels of 1 / 255."""
        return -losses.discretized_logistic(x, self.mean, self.log_scale)


class Mixture(Distribution):
    """A mixture whose components are the rows of a distribution: a learned prior.

    A VampPrior (Tomczak & Welling 2018, equation 9) mixes the posteriors of its pseudo-inputs:
    ``Mixture(Normal.of(nets.encoder(nets.pseudo())))``.

    Args:
        components: such as a ``Normal`` of k rows.
        logits: float32 ``(k,)``, the logarithms of the components' weights up to a constant; None
            for equal weights.
    """

    def __init__(self, components: _Rows, logits=None):
        self.components, self.logits = components, logits

    @property
    def shape(self):  # type: ignore[override]
        return self.components.shape

    def sample(self, rng, n=None):
        k = self.components.mean.shape[0]
        if self.logits is None:
            chosen = rng.integers((n,), 0, k)
        else:  # the largest with Gumbel noise is one drawn by the weights
            chosen = ops.argmax(self.logits - ops.log(-ops.log(rng.uniform((n, k)))), axis=1)
        return self.components.rows(chosen).sample(rng)

    def log_prob(self, x):
        k, n = self.components.mean.shape[0], ops.shape(x)[0]
        each = self.components.rows(ops.arange(n * k) % k).log_prob(ops.repeat(x, k, axis=0))
        weights = -math.log(k) if self.logits is None else ops.log_softmax(self.logits)
        return ops.logsumexp(ops.reshape(each, (n, k)) + weights, axis=1)


_LIKELIHOODS: dict[str, type[_Rows]] = {
    "bernoulli": Bernoulli,
    "normal": Normal,
    "discretized_logistic": DiscretizedLogistic,
}


def likelihood(name: str) -> type[_Rows]:
    """The class of this name: ``"bernoulli"``, ``"normal"`` or ``"discretized_logistic"``.

    >>> likelihood("normal").parameters((2,))
    {'mean': (2,), 'log_var': (2,)}

    Raises:
        ZooError: another name.
    """
    if name not in _LIKELIHOODS:
        raise unknown("likelihood", name, _LIKELIHOODS)
    return _LIKELIHOODS[name]


# --- priors, which are settings of a model ---------------------------------------------


@dataclass(frozen=True)
class Prior(Distribution):
    """A distribution of one code, without parameters to learn: a setting of a model.

    Attributes:
        dimension: length of a code, at least 1.
    """

    dimension: int

    told_with_its_kinds: ClassVar[bool] = True  # in the message on a setting that is none

    def __post_init__(self):
        limits.check_count(self, "dimension", 1)

    @property
    def shape(self):  # type: ignore[override]
        return (self.dimension,)


@dataclass(frozen=True)
class StandardNormal(Prior):
    """The standard normal distribution, N(0, I)."""

    def sample(self, rng, n=None):
        return rng.normal((n, self.dimension))

    def log_prob(self, x):
        return -losses.normal(x, ops.zeros_like(x))


@dataclass(frozen=True)
class Uniform(Prior):
    """Independent uniform variables.

    Attributes:
        low, high: the range of each, low below high.
    """

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self):
        super().__post_init__()
        if not self.low < self.high:
            raise ZooError(f"Uniform: low {self.low} is not below high {self.high}")

    def sample(self, rng, n=None):
        return rng.uniform((n, self.dimension), self.low, self.high)

    def log_prob(self, x):
        inside = ops.all(ops.logical_and(x >= self.low, x <= self.high), axis=1)
        density = -self.dimension * math.log(self.high - self.low)
        return ops.where(inside, density, -math.inf)


@dataclass(frozen=True)
class NormalMixture(Prior):
    """Normals of variance 1 with equal chances, each around a point of its own axis.

    The static mixture of Ben-Yosef & Weinshall 2018, with means on the axes. Data that lie apart,
    as digits do, need noise that lies apart: what a generator makes of a single normal is
    connected, so that some samples lie in between.

    Attributes:
        components: number of normals, from 1 to ``dimension``.
        radius: distance of their means from 0. Two means are sqrt(2) times as far apart.
    """

    components: int = 10
    radius: float = 4.0

    def __post_init__(self):
        super().__post_init__()
        limits.check_count(self, "components", 1, self.dimension)

    def sample(self, rng, n=None):
        z = rng.normal((n, self.dimension))
        component = rng.integers((n,), 0, self.components)
        return z + self.radius * ops.one_hot(component, self.dimension)

    def log_prob(self, x):
        # |x - r e_k|^2 = |x|^2 - 2 r x_k + r^2
        square = ops.sum(ops.square(x), axis=1, keepdims=True) + self.radius**2
        square = square - 2 * self.radius * x[:, : self.components]
        log_density = -0.5 * (self.dimension * LOG_2_PI + square)
        return ops.logsumexp(log_density, axis=1) - math.log(self.components)
