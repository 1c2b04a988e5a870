"""A gradient within a loss."""

from __future__ import annotations

from zoo.engine.backends import backend


def gradient(fn, x):
    """Gradient of ``sum(fn(x))`` with respect to x, inside a loss.

    It can be differentiated once more, on every backend, as the gradient penalty of a
    Wasserstein GAN needs (Gulrajani et al. 2017, equation 3).

    Args:
        fn: function of one tensor, which may call networks.
        x: float tensor ``(n, ...)``.

    Returns:
        A tensor like ``x``. Where ``fn`` gives one value per example, row i is the
        gradient of example i's value.
    """
    return backend.input_gradient(fn, x)
