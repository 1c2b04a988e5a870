"""Adversarial losses, each a game of a discriminator and a generator.

Each is a pair: what the discriminator minimises on real and on fake logits, and what
the generator minimises on fake logits. Logits are float32 ``(n,)`` or ``(n, 1)``; each
term is ``(n,)``.
"""

from __future__ import annotations

from keras import ops

from zoo.errors import unknown
from zoo.nn.losses.examples import averaged


class Adversarial:
    """An adversarial loss: ``real`` and ``fake`` for the discriminator, ``generator``."""

    def __init__(self, name, real, fake, generator, paper):
        self.name = name
        self._real, self._fake, self._generator = real, fake, generator
        self.__doc__ = paper

    def __repr__(self):
        return f"zoo.nn.losses.{self.name}"

    def real(self, logits):
        """The discriminator's loss on real examples, ``(n,)``."""
        return averaged(self._real(logits))

    def fake(self, logits):
        """The discriminator's loss on generated examples, ``(n,)``."""
        return averaged(self._fake(logits))

    def generator(self, logits):
        """The generator's loss on its own examples, ``(n,)``."""
        return averaged(self._generator(logits))


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
    if loss not in _ADVERSARIAL:
        raise unknown("adversarial loss", loss, _ADVERSARIAL)
    return _ADVERSARIAL[loss]
