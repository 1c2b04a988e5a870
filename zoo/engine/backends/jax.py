"""Moves on JAX: all state is passed through, so a step is a pure function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from keras import StatelessScope, ops
from keras.distribution import distribution

from zoo.engine import accelerate
from zoo.engine.accelerate import jax_chunks, jax_compiler_options
from zoo.engine.backends.shared import unique
from zoo.engine.distributed import jax as devices
from zoo.runtime.keras_compat import get_stateless_scope, pure

draws_on_host = False


def device() -> str:
    """``"gpu"``, ``"tpu"`` or ``"cpu"``: where this backend computes."""
    return jax.default_backend()


def gradients(forward, groups, inputs, kept):
    """One forward pass, one gradient per player.

    Args:
        forward: function of the inputs giving ``({player: loss}, aux)``.
        groups: ``{player: variables}``.
        inputs: a batch, a generator and the step: all that changes but variables.
        kept: a dict for what a backend keeps of a move from one step to the next; None where
            the model is to run eagerly.

    Returns:
        aux, ``{player: gradients}``, and ``{id(variable): value}`` that it assigned.
    """
    variables = unique(groups)

    def function(values):
        (losses, aux), assigned = pure(
            lambda: forward(*inputs), zip(variables, values, strict=True)
        )
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
            return fn(*devices.split_here(args))

    return lambda *args: run([v.value for v in variables], *args)


class Trainer:
    """The steps that Keras's JAX trainer jits."""

    train_function: Any

    def make_train_function(self, force=False):
        again = force or self.train_function is None
        super().make_train_function(force)  # type: ignore[misc]  # of Keras's trainer
        options = jax_compiler_options.options()
        plain = self.jit_compile and not self.run_eagerly and distribution() is None
        if again and plain and options:
            step = jax.jit(self.train_step, donate_argnums=0, compiler_options=options)
            self.train_function = self._make_function(step)

    def train_step(self, state, data):
        made = _stateless(self, _variables(self), state, self.make_moves, devices.split(data))
        return devices.whole(made)

    def test_step(self, state, data):
        variables = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.metrics_variables,
        )
        return _stateless(self, variables, state, self.evaluate_moves, devices.split_here(data))

    def _get_jax_state(self, purge_model_variables=False, **groups):
        # Keras would empty the variables before a step, and lose the weights, and the reason,
        # where the step does not trace (an error in a loss); a step overwrites them anyway
        return super()._get_jax_state(**groups)  # type: ignore[misc]  # of Keras's trainer


class Steps:
    """The training steps of a model, many in one call.

    The state is passed from step to step, each of which overwrites it. The model's variables
    hold it again after ``sync``.

    Args:
        model: compiled.
        rows: examples of a step.
        most: steps of a call, at most.
    """

    def __init__(self, model, rows: int, most: int):
        self._model, self._rows = model, rows
        self._state: Any = None

        def compiled(function):
            if model.run_eagerly or not model.jit_compile:
                return function
            options = jax_compiler_options.options()
            return jax.jit(function, donate_argnums=0, compiler_options=options)

        def step(state, batch):
            logs, state = model.train_step(state, batch)
            return jnp.stack([logs[name] for name in model.metrics_names]), state

        self._step, self._program = compiled(step), None
        if accelerate.on("jax_chunk_program") and jax_chunks.suits(model):
            terms = len(model.metrics_names)
            self._program = jax_chunks.program(step, rows, most, terms, compiled)

    def start(self, data: tuple, share=None) -> Callable[[], np.ndarray]:
        """Start the steps on a chunk's data, which may go on after this returns.

        Returns:
            A function that waits for the steps and gives their logs, float32
            ``(steps, terms)`` in the order of the model's ``metrics_names``.
        """
        if self._state is None:
            groups = _variables(self._model)
            self._state = tuple([devices.state(v.value) for v in group] for group in groups)
        total, rows = len(jax.tree.leaves(data)[0]), self._rows
        number = -(-total // rows)
        if self._program is None:
            logs = []
            for start in range(0, total, rows):
                batch = jax.tree.map(lambda part, i=start: part[i : i + rows], data)
                values, self._state = self._step(self._state, devices.batch(batch, share))
                logs.append(values)
            return lambda: np.array(jax.device_get(logs), "float32")
        values, self._state = self._program(self._state, data, number, share)
        return lambda: np.asarray(values)[:number]

    def sync(self) -> None:
        """Have the model's variables hold the state of the last step started."""
        if self._state is not None:
            for group, values in zip(_variables(self._model), self._state, strict=True):
                for variable, value in zip(group, values, strict=True):
                    variable.assign(devices.own(value))
            self._state = None


def _variables(model):
    """The groups of variables that a training step reads and writes."""
    return (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )


def _stateless(model, variables, state, step, data):
    """A step's logs and the state after it."""
    pairs = [
        pair
        for group, values in zip(variables, state, strict=True)
        for pair in zip(group, values, strict=True)
    ]
    with StatelessScope(pairs) as scope:
        step(data)
        logs = model.get_metrics_result()
    return logs, tuple([scope.get_current_value(v) for v in group] for group in variables)
