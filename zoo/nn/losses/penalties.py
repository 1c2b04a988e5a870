"""Gradient penalties of a discriminator, one value per example.

``critic`` and ``discriminator`` are functions of a batch, such as ``nets.critic``, that judge
each example by itself: no batch normalization in them. They give ``(n,)`` or ``(n, 1)``.
"""

from __future__ import annotations

from keras import ops

from zoo.engine.gradient import gradient
from zoo.nn.losses.examples import summed


def gradient_penalty(critic, real, fake, rng, target: float = 1.0):
    """How far the critic's slope is from the target, between real and generated examples.

    (|grad D(x)| - target)^2 at x = u real + (1 - u) fake, u uniform in (0, 1), one for each
    example (Gulrajani et al. 2017, equation 3, whose lambda is the term's weight, 10).

    Args:
        critic: D, of which the gradient is taken.
        real, fake: float32 ``(n, ...)``, vectors or pictures.
        rng: the loss's generator.
        target: the slope that costs nothing.

    Returns:
        ``(n,)``.
    """
    share = rng.uniform((ops.shape(real)[0], *[1] * (len(real.shape) - 1)))
    slope = gradient(critic, fake + share * (real - fake))
    # a square root has no slope at 0, where a critic that ignores its input is
    norm = ops.sqrt(summed(ops.square(slope)) + 1e-12)
    return ops.square(norm - target)


def r1(discriminator, real):
    """The discriminator's squared slope at real examples.

    |grad D(x)|^2, D the logit (Mescheder et al. 2018, equation 9, without its factor
    gamma / 2, which is the term's weight: 5 for gamma = 10).

    Args:
        discriminator: D, of which the gradient is taken.
        real: float32 ``(n, ...)``, vectors or pictures.

    Returns:
        ``(n,)``.
    """
    return summed(ops.square(gradient(discriminator, real)))
