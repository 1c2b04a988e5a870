"""Moves on PyTorch: autograd, asked once a player."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from keras import ops, tree

from zoo.engine import accelerate
from zoo.runtime.keras_compat import pure, torch_device

draws_on_host = torch_device() == "cpu"


def device() -> str:
    """``"gpu"``, ``"mps"`` or ``"cpu"``: where this backend computes."""
    return torch_device().partition(":")[0].replace("cuda", "gpu")


def call(network, inputs, *args, **kwargs):
    """``network(inputs, *args, **kwargs)``, as a loss has it computed."""
    faster = accelerate.module("torch_layer_calls")
    if args or faster is None:
        return network(inputs, *args, **kwargs)
    return faster.call(network, inputs, **kwargs)


def gradients(forward, groups):
    """One forward pass, one gradient a player; see ``zoo.engine.backends.jax.gradients``."""
    (losses, aux), assigned = pure(forward)
    grads, last = {}, list(groups)[-1]
    for player, group in groups.items():
        values = [v.value for v in group]
        if values and losses[player].requires_grad:
            pulled = torch.autograd.grad(
                losses[player],
                values,
                retain_graph=player != last,
                allow_unused=True,
                materialize_grads=True,
            )
            grads[player] = list(pulled)
        else:
            grads[player] = [torch.zeros_like(value) for value in values]
    return aux, grads, assigned


def apply(optimizer, grads, variables, moves=None):
    """Let the optimizer move the variables, unless the boolean ``moves`` is false."""
    if moves is None or bool(moves):
        with torch.no_grad():
            optimizer.apply(grads, variables)


def prepare(optimizer):
    """Make ready an optimizer that is about to train."""
    adam = accelerate.module("torch_adam")
    if adam is not None:
        adam.fuse(optimizer)


def input_gradient(fn, x):
    """Gradient of ``sum(fn(x))``; see ``zoo.gradient``."""
    with torch.enable_grad():
        x = x if x.requires_grad else x.detach().requires_grad_()
        total = ops.sum(fn(x))
        if not total.requires_grad:
            return torch.zeros_like(x)
        return torch.autograd.grad(total, x, create_graph=True, materialize_grads=True)[0]


def shapes(fn):
    """Evaluate ``fn`` for shapes and dtypes alone; nothing is assigned."""
    return pure(fn)[0]


def compiled(variables, fn):
    """``fn(*arrays)`` without gradients, reading the variables' values at each call."""
    return torch.no_grad()(fn)


class Trainer:
    """The steps that Keras's PyTorch trainer runs."""

    def train_step(self, data):
        return self.make_moves(data)

    def test_step(self, data):
        return self.evaluate_moves(data)


class Steps:
    """The training steps of a model, many in one call; see ``zoo.engine.backends.jax.Steps``."""

    def __init__(self, model, rows: int, most: int):
        self._model, self._rows = model, rows

    def start(self, data: tuple) -> Callable[[], np.ndarray]:
        """Start the steps on a chunk's data; gives a function that gives their logs."""
        if not self._model.training:  # an evaluation has turned it off, for PyTorch's own modules
            self._model.train()
        names, rows, logs = self._model.metrics_names, self._rows, []
        for start in range(0, len(tree.flatten(data)[0]), rows):
            # a copy, because sums may depend on where in memory an array begins
            batch = tree.map_structure(lambda part, i=start: torch.tensor(part[i : i + rows]), data)
            own = self._model.train_step(batch)
            logs.append(torch.stack([own[name] for name in names]))
        return lambda: torch.stack(logs).cpu().numpy()

    def sync(self) -> None:
        """Have the model's variables hold the state, as they do here after each step."""
