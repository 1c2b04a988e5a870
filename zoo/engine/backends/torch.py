"""Moves on PyTorch: autograd, asked once a player."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from keras import StatelessScope, ops, tree

from zoo.engine import accelerate
from zoo.engine.backends.shared import InPlace
from zoo.engine.backends.shared import Trainer as Trainer
from zoo.runtime.keras_compat import pure, torch_device

draws_on_host = torch_device() == "cpu"


def device() -> str:
    """``"gpu"``, ``"mps"`` or ``"cpu"``: where this backend computes."""
    return torch_device().partition(":")[0].replace("cuda", "gpu")


def gradients(forward, groups, inputs, kept):
    """One forward pass, one gradient per player; see ``zoo.engine.backends.jax.gradients``."""
    graphs = accelerate.module("torch_graphs")
    if graphs is None or kept is None:
        return passes(forward, groups, inputs)
    return graphs.gradients(passes, forward, groups, inputs, kept)


def passes(forward, groups, inputs, scope=StatelessScope, values=()):
    """As ``gradients``, one operation at a time.

    Args:
        scope: the class of the scope to run in.
        values: pairs ``(variable, value)`` that hold inside.
    """
    (losses, aux), assigned = pure(lambda: forward(*inputs), values, scope)
    given = {id(variable): value for variable, value in values}
    grads, last = {}, list(groups)[-1]
    for player, group in groups.items():
        own = [given.get(id(v), v.value) for v in group]
        if own and losses[player].requires_grad:
            pulled = torch.autograd.grad(
                losses[player],
                own,
                retain_graph=player != last,
                allow_unused=True,
                materialize_grads=True,
            )
            grads[player] = list(pulled)
        else:
            grads[player] = [torch.zeros_like(value) for value in own]
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


class Steps(InPlace):
    """The training steps of a model, many in one call; see ``zoo.engine.backends.jax.Steps``."""

    def __init__(self, model, rows: int, most: int):
        self._model, self._rows = model, rows

    def start(self, data: tuple, share=None) -> Callable[[], np.ndarray]:
        """Start the steps on a chunk's data; gives a function that gives their logs."""
        if not self._model.training:  # an evaluation has turned it off, for PyTorch's own modules
            self._model.train()
        rows, logs = self._rows, []
        for start in range(0, len(tree.flatten(data)[0]), rows):
            # a copy, because sums may depend on where in memory an array begins
            batch = tree.map_structure(lambda part, i=start: torch.tensor(part[i : i + rows]), data)
            self._model.make_moves(batch, share)
            logs.append(self._model.current_logs())
        return lambda: torch.stack(logs).cpu().numpy()
