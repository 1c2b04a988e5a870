"""How far codes are from a standard normal prior."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from keras import ops

from zoo.engine.distributed.reduction import whole
from zoo.errors import unknown
from zoo.nn.losses.examples import summed


def kl_per_dimension(mean, log_var):
    """KL(N(mean_j, exp(log_var_j)) || N(0, 1)) of each dimension, in nats.

    (mean^2 + exp(log_var) - 1 - log_var) / 2 (Kingma & Welling 2014, appendix B).

    Args:
        mean, log_var: float32 ``(n, d)``.

    Returns:
        ``(n, d)``.
    """
    return 0.5 * (ops.square(mean) + ops.exp(log_var) - 1.0 - log_var)


def kl_standard_normal(mean, log_var):
    """KL(N(mean, exp(log_var)) || N(0, I)) in nats.

    (mean^2 + exp(log_var) - 1 - log_var) / 2, summed (Kingma & Welling 2014, appendix B).

    Args:
        mean, log_var: float32 ``(n, d)``.

    Returns:
        ``(n,)``.
    """
    return summed(kl_per_dimension(mean, log_var))


def free_bits(kl_per_dimension, floor: float):
    """The KL, in which a dimension below the floor counts as the floor.

    sum_j max(floor, mean over the batch of KL_j) (Kingma et al. 2016, equation 15): below
    the floor a dimension has no gradient, so that it is not pruned early.

    Args:
        kl_per_dimension: float32 ``(n, d)`` in nats.
        floor: nats per dimension, at least 0; the paper's lambda.

    Returns:
        A scalar, since the floor applies to the mean over the batch.
    """
    return ops.sum(ops.maximum(ops.mean(whole(kl_per_dimension), axis=0), floor))


class Decomposition(NamedTuple):
    """Estimates of the three parts of a KL, float32 ``(n,)`` each, in nats."""

    mutual_information: Any
    """KL(q(z, n) || q(z) p(n)): what the code z knows of the example n."""
    total_correlation: Any
    """KL(q(z) || prod_j q(z_j)): how far the dimensions are from independent."""
    dimension_wise_kl: Any
    """sum_j KL(q(z_j) || p(z_j)): how far each dimension is from the prior."""


def total_correlation(z, mean, log_var, dataset_size: int) -> Decomposition:
    """The KL of a VAE in three parts, by minibatch-weighted sampling.

    Chen et al. 2018, equation 2, with log q(z) and log q(z_j) estimated by equation 3: the
    aggregate posterior q(z) is 1 / (N M) sum_m q(z | n_m) over the batch's M examples. It
    is biased, q(z) being too small: where posteriors overlap, by a factor N, which adds
    log N to the first part and (d - 1) log N to the second. These constants do
    not change the gradients. A beta-TCVAE (equation 4) weighs the second part by beta.

    Args:
        z: float32 ``(n, d)``, drawn from the posteriors.
        mean, log_var: float32 ``(n, d)``, of the posteriors.
        dataset_size: examples in the training set, N.

    Returns:
        Three terms, one value per example each. They add up to log q(z | x) - log p(z),
        whose expectation is the KL.
    """
    everyone = whole(mean), whole(log_var)
    batch = ops.cast(ops.shape(everyone[0])[0], "float32")
    log_size = ops.log(batch * dataset_size)
    # (example, posterior, dimension)
    each = _log_normal(z[:, None], *(part[None] for part in everyone))
    log_q = ops.logsumexp(ops.sum(each, axis=2), axis=1) - log_size
    log_q_product = ops.sum(ops.logsumexp(each, axis=1) - log_size, axis=1)
    log_q_given_x = ops.sum(_log_normal(z, mean, log_var), axis=1)
    log_p = ops.sum(_log_normal(z, 0.0, ops.zeros_like(z)), axis=1)
    return Decomposition(log_q_given_x - log_q, log_q - log_q_product, log_q_product - log_p)


def _log_normal(x, mean, log_var):
    return -0.5 * (math.log(2 * math.pi) + log_var + ops.square(x - mean) * ops.exp(-log_var))


# of the squared distance of two codes of dimension d; two draws from the prior are 2 d apart
_KERNELS = {
    "imq": lambda square, d: 2.0 * d / (2.0 * d + square),
    "gaussian": lambda square, d: ops.exp(-square / (2.0 * d)),
}


def mmd(x, y, kernel: str = "imq", unbiased: bool = True):
    """The squared maximum mean discrepancy of two samples.

    mean k(x, x') + mean k(y, y') - 2 mean k(x, y) (Gretton et al. 2012, equations 3 and 5),
    as between codes and draws from a standard normal prior in a WAE (Tolstikhin et al. 2018,
    algorithm 2) or an InfoVAE (Zhao et al. 2019).

    Args:
        x: float32 ``(n, d)``.
        y: float32 ``(m, d)``.
        kernel: ``"imq"``, the inverse multiquadratic C / (C + |x - y|^2) with C = 2 d
            (Tolstikhin et al. 2018, section 4), or ``"gaussian"``, exp(-|x - y|^2 / 2 d).
        unbiased: leave out the pairs of a point with itself. The estimate is then right on
            average and may be negative; with them it is never negative.

    Returns:
        A scalar. Of one point, k(x, x') counts as 0 where the estimate is unbiased.

    Raises:
        ZooError: an unknown kernel.
    """
    if kernel not in _KERNELS:
        raise unknown("kernel", kernel, _KERNELS, where="mmd")
    x, y = whole(x), whole(y)

    def between(a, b):
        squares = ops.sum(ops.square(a[:, None] - b[None]), axis=2)
        return _KERNELS[kernel](squares, x.shape[1])

    def within(a):
        pairs, n = between(a, a), ops.cast(ops.shape(a)[0], "float32")
        if not unbiased:
            return ops.mean(pairs)
        # k(x, x) = 1 for both kernels
        return (ops.sum(pairs) - n) / ops.maximum(n * (n - 1.0), 1.0)

    return within(x) + within(y) - 2.0 * ops.mean(between(x, y))
