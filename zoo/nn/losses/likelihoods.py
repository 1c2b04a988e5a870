"""Negative log-likelihoods of examples under a decoder's distribution, and their kin."""

from __future__ import annotations

import math

from keras import ops

from zoo.nn.losses.examples import rows, summed


def bernoulli(x, logits):
    """Negative log-likelihood of x under Bernoulli variables, in nats.

    -log p(x) = sum_i softplus(l_i) - x_i l_i (Kingma & Welling 2014, appendix C.1).

    Args:
        x: float32 ``(n, ...)`` in [0, 1].
        logits: like ``x``, any real numbers.

    Returns:
        ``(n,)``, summed over all but the first axis.
    """
    x, logits = rows(x), rows(logits)
    return summed(ops.softplus(logits) - x * logits)


def normal(x, mean, log_var=0.0):
    """Negative log-likelihood of x under independent normals, in nats.

    -log p(x) = sum_i (log 2 pi + log_var_i + (x_i - mean_i)^2 / exp(log_var_i)) / 2
    (Kingma & Welling 2014, appendix C.2).

    Args:
        x, mean: float32 ``(n, ...)``.
        log_var: logarithm of the variance, a number or a tensor that broadcasts.

    Returns:
        ``(n,)``, summed over all but the first axis.
    """
    x, mean, log_var = _rows(x, mean, log_var)
    square = ops.square(x - mean) * ops.exp(-log_var)
    return 0.5 * summed(math.log(2 * math.pi) + log_var + square)


def discretized_logistic(x, mean, log_scale, levels: int = 256):
    """Negative log-likelihood of pixels under logistic variables that are rounded, in nats.

    A pixel's probability is the logistic distribution's mass within half a level of it,
    and beyond for the first and last level: sigmoid((x + h - mean) / s) -
    sigmoid((x - h - mean) / s), h half the distance of two levels, minus infinity in place
    of x - h at 0 and infinity in place of x + h at 1 (Salimans et al. 2017, equation 2, of
    one component; Kingma et al. 2016, appendix, with bins that begin at the level).

    Args:
        x: float32 ``(n, ...)`` in [0, 1], at the levels 0, 1 / (levels - 1), ..., 1.
        mean: like ``x``, any real numbers, in the same units.
        log_scale: logarithm of the scale s in these units, a number or a tensor that
            broadcasts.
        levels: values that a pixel can have.

    Returns:
        ``(n,)``, summed over all but the first axis.
    """
    x, mean, log_scale = _rows(x, mean, log_scale)
    half = 0.5 / (levels - 1)
    per_unit = ops.exp(-log_scale)
    above, below = (x + half - mean) * per_unit, (x - half - mean) * per_unit
    first, last = x < half, x > 1.0 - half
    # sigmoid(a) - sigmoid(b) = sigmoid(a) sigmoid(-b) (1 - exp(b - a)): nothing cancels
    within = ops.log(-ops.expm1(-2.0 * half * per_unit))
    up_to = ops.where(last, 0.0, ops.softplus(-above))
    from_on = ops.where(first, 0.0, ops.softplus(below))
    return summed(up_to + from_on - ops.where(ops.logical_or(first, last), 0.0, within))


def squared_error(x, y):
    """The squared distance of each example from its reconstruction, sum_i (x_i - y_i)^2.

    Up to a factor and a constant, ``normal`` of a fixed variance: at variance 1/2 they
    differ by the constant alone.

    Args:
        x, y: float32 ``(n, ...)``.

    Returns:
        ``(n,)``, summed over all but the first axis.
    """
    return summed(ops.square(x - y))


def _rows(x, mean, width):
    """In rows, unless ``width`` is neither a number nor has one for each of x."""
    width = ops.convert_to_tensor(width, "float32")
    if not width.shape:
        return rows(x), rows(mean), width
    if tuple(width.shape[1:]) != tuple(x.shape[1:]):
        return x, mean, width
    return rows(x), rows(mean), rows(width)
