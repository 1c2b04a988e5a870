"""What all models share: variables as arrays, Adam."""

from __future__ import annotations

import jax.numpy as jnp


def values(net):
    """Copies of a Keras network's weights, and of its statistics."""
    weights = [jnp.array(v.value) for v in net.trainable_variables]
    return weights, [jnp.array(v.value) for v in net.non_trainable_variables]


class Adam:
    """Adam as in its paper (Kingma & Ba 2015), with Keras's epsilon."""

    def __init__(self, case):
        self._rate, self._one, self._two = case.rate, case.beta_1, 0.999

    def init(self, weights):
        """The state before the first step."""
        return jnp.zeros((), "int32"), [w * 0 for w in weights], [w * 0 for w in weights]

    def apply(self, state, weights, grads):
        """The state and the weights after a step."""
        one, two = self._one, self._two
        t, m, v = state
        t = t + 1
        m = [one * a + (1 - one) * g for a, g in zip(m, grads, strict=True)]
        v = [two * a + (1 - two) * g * g for a, g in zip(v, grads, strict=True)]
        scale = self._rate * jnp.sqrt(1 - two**t) / (1 - one**t)
        moved = zip(weights, m, v, strict=True)
        return (t, m, v), [w - scale * a / (jnp.sqrt(b) + 1e-7) for w, a, b in moved]
