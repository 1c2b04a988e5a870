"""Adam in one operation for each weight."""

from __future__ import annotations

import tensorflow as tf


class Adam:
    """Adam in one operation for each weight.

    Args:
        case: which has the rate.
        weights: Keras variables.
    """

    def __init__(self, case, weights):
        self._case, self.weights = case, [w.value for w in weights]
        self._slots = [[tf.Variable(tf.zeros_like(w)) for _ in range(2)] for w in self.weights]
        self._steps = tf.Variable(0.0)

    def move(self, grads) -> None:
        """Move the weights."""
        step = self._steps.assign_add(1.0)
        for weight, (first, second), grad in zip(self.weights, self._slots, grads, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=weight.handle,
                m=first.handle,
                v=second.handle,
                beta1_power=self._case.beta_1**step,
                beta2_power=0.999**step,
                lr=self._case.rate,
                beta1=self._case.beta_1,
                beta2=0.999,
                epsilon=1e-7,
                grad=grad,
            )
