"""A training step of several players, the same on every backend.

``base.py`` says what a step does; the files that begin with a backend's name say how a move's
gradients are taken there, and what it gains speed by. No other part of the zoo imports a backend.
"""

from __future__ import annotations

import importlib

import keras

backend = importlib.import_module(f"zoo.engine.{keras.backend.backend()}")


def gradient(fn, x):
    """Gradient of ``sum(fn(x))`` with respect to x, inside a loss.

    It can be differentiated once more, on every backend: this is what the gradient
    penalty of a Wasserstein GAN (Gulrajani et al. 2017, equation 3) is made of.

    Args:
        fn: function of one tensor, which may call networks.
        x: float tensor ``(n, ...)``.

    Returns:
        A tensor like ``x``. Where ``fn`` gives one number an example, row i is the
        gradient of that example's number.
    """
    return backend.input_gradient(fn, x)
