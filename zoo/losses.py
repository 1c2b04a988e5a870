"""Terms of losses, each named as the literature names it and summed to one number an example."""

from __future__ import annotations

import math

from keras import ops


def _examples(x):
    """Sum over all axes but the first: ``(n, ...)`` to ``(n,)``."""
    return ops.sum(ops.reshape(x, (ops.shape(x)[0], -1)), axis=1)


def _each(x):
    """Mean over all axes but the first: ``(n, ...)`` to ``(n,)``."""
    return ops.mean(ops.reshape(x, (ops.shape(x)[0], -1)), axis=1)


# --- likelihoods and divergences ------------------------------------------------------


def bernoulli(x, logits):
    """Negative log-likelihood of x under Bernoulli variables, in nats.

    -log p(x) = sum_i softplus(l_i) - x_i l_i (Kingma & Welling 2014, appendix C.1).

    Args:
        x: float32 ``(n, ...)`` in [0, 1].
        logits: like ``x``, any real numbers.

    Returns:
        ``(n,)``, summed over all but the first axis.
    """
    return _examples(ops.softplus(logits) - x * logits)


def gaussian(x, mean, log_var=0.0):
    """Negative log-likelihood of x under independent normals, in nats.

    -log p(x) = sum_i (log 2 pi + log_var_i + (x_i - mean_i)^2 / exp(log_var_i)) / 2
    (Kingma & Welling 2014, appendix C.2).

    Args:
        x, mean: float32 ``(n, ...)``.
        log_var: logarithm of the variance, a number or a tensor that broadcasts.

    Returns:
        ``(n,)``, summed over all but the first axis.
    """
    log_var = ops.convert_to_tensor(log_var, "float32")
    square = ops.square(x - mean) * ops.exp(-log_var)
    return 0.5 * _examples(math.log(2 * math.pi) + log_var + square)


def kl_standard_normal(mean, log_var):
    """KL(N(mean, exp(log_var)) || N(0, I)) in nats.

    (mean^2 + exp(log_var) - 1 - log_var) / 2, summed (Kingma & Welling 2014, appendix B).

    Args:
        mean, log_var: float32 ``(n, d)``.

    Returns:
        ``(n,)``.
    """
    return 0.5 * _examples(ops.square(mean) + ops.exp(log_var) - 1.0 - log_var)


# --- adversarial losses ---------------------------------------------------------------
#
# Each is a pair: what the discriminator minimises on real and on fake logits, and what
# the generator minimises on fake logits. Logits are float32 ``(n,)`` or ``(n, 1)``; each
# term is ``(n,)``.


class Adversarial:
    """An adversarial loss: ``real`` and ``fake`` for the discriminator, ``generator``."""

    def __init__(self, name, real, fake, generator, paper):
        self.name = name
        self._real, self._fake, self._generator = real, fake, generator
        self.__doc__ = paper

    def __repr__(self):
        return f"zoo.losses.{self.name}"

    def real(self, logits):
        """The discriminator's loss on real examples, ``(n,)``."""
        return _each(self._real(logits))

    def fake(self, logits):
        """The discriminator's loss on generated examples, ``(n,)``."""
        return _each(self._fake(logits))

    def generator(self, logits):
        """The generator's loss on its own examples, ``(n,)``."""
        return _each(self._generator(logits))


minimax = Adversarial(
    "minimax",
    real=lambda logits: ops.softplus(-logits),
    fake=lambda logits: ops.softplus(logits),
    generator=lambda logits: -ops.softplus(logits),
    paper="D minimises -log D(x) - log(1 - D(G(z))), G log(1 - D(G(z))): "
    "Goodfellow et al. 2014, equation 1.",
)

non_saturating = Adversarial(
    "non_saturating",
    real=lambda logits: ops.softplus(-logits),
    fake=lambda logits: ops.softplus(logits),
    generator=lambda logits: ops.softplus(-logits),
    paper="As minimax, but G minimises -log D(G(z)): Goodfellow et al. 2014, section 3.",
)

least_squares = Adversarial(
    "least_squares",
    real=lambda logits: 0.5 * ops.square(logits - 1.0),
    fake=lambda logits: 0.5 * ops.square(logits),
    generator=lambda logits: 0.5 * ops.square(logits - 1.0),
    paper="Mao et al. 2017, equation 2 with a = 0, b = c = 1 (equation 9).",
)

hinge = Adversarial(
    "hinge",
    real=lambda logits: ops.relu(1.0 - logits),
    fake=lambda logits: ops.relu(1.0 + logits),
    generator=lambda logits: -logits,
    paper="Lim & Ye 2017; Miyato et al. 2018, equations 16 and 17.",
)

wasserstein = Adversarial(
    "wasserstein",
    real=lambda logits: -logits,
    fake=lambda logits: logits,
    generator=lambda logits: -logits,
    paper="The critic's estimate of the Wasserstein-1 distance: Arjovsky et al. 2017, equation 2.",
)

_ADVERSARIAL = {
    loss.name: loss for loss in (minimax, non_saturating, least_squares, hinge, wasserstein)
}


def adversarial(loss: str | Adversarial) -> Adversarial:
    """The adversarial loss of this name, or the one given; ``ZooError`` for another name."""
    if isinstance(loss, Adversarial):
        return loss
    from zoo.errors import unknown

    if loss not in _ADVERSARIAL:
        raise unknown("adversarial loss", loss, _ADVERSARIAL)
    return _ADVERSARIAL[loss]
