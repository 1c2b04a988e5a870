"""``train_step`` as a function of the state."""

from __future__ import annotations

import jax
import keras

from benchmarks.keras_fit import common


class VAE(common.VAE):
    """As Keras's guide on customizing fit with JAX."""

    def train_step(self, state, data):
        trained, others, slots, totals = state

        def loss_of(trained, others):
            return self.stateless_call(trained, others, data, training=True)

        (loss, others), grads = jax.value_and_grad(loss_of, has_aux=True)(trained, others)
        trained, slots = self.optimizer.stateless_apply(slots, grads, trained)
        totals = self.loss_tracker.stateless_update_state(totals, loss)
        logs = {"loss": self.loss_tracker.stateless_result(totals)}
        return logs, (trained, others, slots, totals)


class GAN(common.GAN):
    """Keras hands a step the state of one optimizer: the other's goes as weights do."""

    def compile(self, own, other):
        super().compile(own, other)
        self.slots = list(other.variables)  # which Keras tracks

    def train_step(self, state, data):
        groups = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
            self.metrics_variables,
        )
        pairs = [
            pair
            for group, values in zip(groups, state, strict=True)
            for pair in zip(group, values, strict=True)
        ]
        n = data.shape[0]
        with keras.StatelessScope(pairs) as scope:
            fake = self.generator(self.noise(n), training=True)
        pairs = _after(scope, groups)
        loss, pairs = self._moved(
            self.other, self.discriminator, lambda: self.discriminate(data, fake), pairs, groups
        )
        _, pairs = self._moved(
            self.optimizer, self.generator, lambda: self.generate(n), pairs, groups
        )
        with keras.StatelessScope(pairs) as scope:
            self.loss_tracker.update_state(loss)
            logs = {"loss": self.loss_tracker.result()}
        state = tuple([scope.get_current_value(v) for v in group] for group in groups)
        return logs, state

    def _moved(self, optimizer, net, fn, pairs, groups):
        """The loss, and the state after a move of the network by its gradient."""
        weights = net.trainable_variables

        def loss_of(values):
            own = zip(weights, values, strict=True)
            with keras.StatelessScope([*pairs, *own]) as scope:
                loss = fn()
            return loss, _after(scope, groups)

        known = {id(variable): value for variable, value in pairs}
        values = [known[id(w)] for w in weights]
        (loss, after), grads = jax.value_and_grad(_values_only(loss_of), has_aux=True)(values)
        flat = [v for group in groups for v in group]
        pairs = list(zip(flat, after, strict=True))
        known = {id(variable): value for variable, value in pairs}
        slots = [known[id(v)] for v in optimizer.variables]
        values, slots = optimizer.stateless_apply(slots, grads, values)
        own = zip([*weights, *optimizer.variables], [*values, *slots], strict=True)
        return loss, [*pairs, *own]


def _after(scope, groups):
    return [(v, scope.get_current_value(v)) for group in groups for v in group]


def _values_only(fn):
    """Without the variables, which JAX does not return."""

    def wrapped(values):
        loss, pairs = fn(values)
        return loss, [value for _, value in pairs]

    return wrapped
