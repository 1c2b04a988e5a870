"""Terms of losses, each named as the literature names it; most give one value per example."""

from __future__ import annotations

from zoo.engine.distributed.reduction import whole
from zoo.nn.losses.divergences import (
    Decomposition,
    free_bits,
    kl_per_dimension,
    kl_standard_normal,
    mmd,
    total_correlation,
)
from zoo.nn.losses.games import (
    Adversarial,
    adversarial,
    hinge,
    least_squares,
    minimax,
    non_saturating,
    wasserstein,
)
from zoo.nn.losses.likelihoods import bernoulli, discretized_logistic, normal, squared_error

__all__ = [
    "Adversarial",
    "Decomposition",
    "adversarial",
    "bernoulli",
    "discretized_logistic",
    "free_bits",
    "hinge",
    "kl_per_dimension",
    "kl_standard_normal",
    "least_squares",
    "minimax",
    "mmd",
    "non_saturating",
    "normal",
    "squared_error",
    "total_correlation",
    "wasserstein",
    "whole",
]
