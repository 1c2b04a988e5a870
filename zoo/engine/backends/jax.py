"""Moves on JAX: all state is passed through, so a step is a pure function."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import jax
from keras import StatelessScope, ops
from keras.distribution import distribution

from zoo.engine.accelerate import jax_chunks, jax_compiler_options
from zoo.engine.backends.variables import unique
from zoo.runtime.keras_compat import get_stateless_scope, pure

if TYPE_CHECKING:
    from zoo.training.chunks import Chunks

draws_on_host = False


def device() -> str:
    """``"gpu"``, ``"tpu"`` or ``"cpu"``: where this backend computes."""
    return jax.default_backend()


def makes_chunks() -> bool:
    """Whether steps are made in chunks.

    Not on a GPU, where the steps of a chunk would wait for the callbacks of the one before.
    """
    return device() == "cpu"


def call(network, inputs, *args, **kwargs):
    """``network(inputs, *args, **kwargs)``, as a loss has it computed."""
    return network(inputs, *args, **kwargs)


def gradients(forward, groups):
    """One forward pass, one gradient a player.

    Args:
        forward: function without arguments giving ``({player: loss}, aux)``.
        groups: ``{player: variables}``.

    Returns:
        aux, ``{player: gradients}``, and ``{id(variable): value}`` that it assigned.
    """
    variables = unique(groups)

    def function(values):
        (losses, aux), assigned = pure(forward, zip(variables, values, strict=True))
        return losses, (aux, assigned)

    values = [v.value for v in variables]
    losses, pull_back, (aux, assigned) = jax.vjp(function, values, has_aux=True)
    position = {id(v): i for i, v in enumerate(variables)}
    grads = {}
    for player, group in groups.items():
        # XLA drops what the zeros make unnecessary
        cotangents = {
            name: ops.ones_like(loss) if name == player else ops.zeros_like(loss)
            for name, loss in losses.items()
        }
        pulled = pull_back(cotangents)[0]
        grads[player] = [pulled[position[id(v)]] for v in group]
    return aux, grads, assigned


def apply(optimizer, grads, variables, moves=None):
    """Let the optimizer move the variables, unless the boolean ``moves`` is false."""
    state = [*variables, *optimizer.variables]
    before = [v.value for v in state]

    def move():
        weights, slots = optimizer.stateless_apply(
            before[len(variables) :], grads, before[: len(variables)]
        )
        return [*weights, *slots]

    after = move() if moves is None else jax.lax.cond(moves, move, lambda: before)
    for variable, value in zip(state, after, strict=True):
        variable.assign(value)


def prepare(optimizer):
    """Make ready an optimizer that is about to train: here there is nothing to do."""


def input_gradient(fn, x):
    """Gradient of ``sum(fn(x))``; see ``zoo.gradient``."""

    def total(x):
        return pure(lambda: ops.sum(fn(x)))

    grads, assigned = jax.grad(total, has_aux=True)(x)
    scope = get_stateless_scope()
    if scope is not None:
        scope.state_mapping.update(assigned)
    return grads


def shapes(fn):
    """Evaluate ``fn`` for shapes and dtypes alone; nothing is computed or assigned."""
    with StatelessScope():  # a network that builds now gets its weights after the trace
        return jax.eval_shape(lambda: pure(fn)[0])


def compiled(variables, fn):
    """``fn(*arrays)`` compiled, reading the variables' values at each call."""

    @jax.jit
    def run(values, *args):
        with StatelessScope(zip(variables, values, strict=True)):
            return fn(*args)

    return lambda *args: run([v.value for v in variables], *args)


class Trainer:
    """The steps that Keras's JAX trainer jits.

    Attributes:
        chunks: as of ``zoo.engine.backends.tensorflow.Trainer``.
    """

    chunks: Chunks | None = None
    train_function: Any

    def make_train_function(self, force=False):
        options = jax_compiler_options.options()
        if self.chunks is None:
            again = force or self.train_function is None
            super().make_train_function(force)  # type: ignore[misc]  # of Keras's trainer
            plain = self.jit_compile and not self.run_eagerly and distribution() is None
            if again and plain and options:
                step = jax.jit(self.train_step, donate_argnums=0, compiler_options=options)
                self.train_function = self._make_function(step)
            return
        jit = partial(jax.jit, donate_argnums=0, compiler_options=options)
        plain = self.run_eagerly or not self.jit_compile
        steps = jax_chunks.steps(self, (lambda fn: fn) if plain else jit)
        names = self.metrics_names

        def function(state, iterator):
            state, logs = steps(state, next(iterator))
            return {name: logs[:, i] for i, name in enumerate(names)}, state

        self.train_function = function

    def train_step(self, state, data):
        variables = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
            self.metrics_variables,
        )
        return _stateless(variables, state, lambda: self.make_moves(data))

    def test_step(self, state, data):
        variables = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.metrics_variables,
        )
        return _stateless(variables, state, lambda: self.evaluate_moves(data))

    def _get_jax_state(self, purge_model_variables=False, **groups):
        # Keras would empty the variables before a step, and lose the weights, and the reason,
        # where the step does not trace (an error in a loss); a step overwrites them anyway
        return super()._get_jax_state(**groups)  # type: ignore[misc]  # of Keras's trainer


def _stateless(variables, state, body):
    pairs = [
        pair
        for group, values in zip(variables, state, strict=True)
        for pair in zip(group, values, strict=True)
    ]
    with StatelessScope(pairs) as scope:
        logs = body()
    return logs, tuple([scope.get_current_value(v) for v in group] for group in variables)
