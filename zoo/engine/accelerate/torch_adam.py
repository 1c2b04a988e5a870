"""Adam on PyTorch's CPU backend in one pass over memory."""

from __future__ import annotations

import math
from functools import partial

import torch
from keras import ops
from keras.src.backend.torch.optimizers.torch_adam import Adam


def install() -> None:
    """Look whether Keras's Adam and PyTorch have what is used of them here.

    Raises:
        AttributeError: one of them has not.
    """
    for owner, name in (
        (Adam, "_parallel_update_step"),
        (Adam, "_get_variable_index"),
        (torch, "_fused_adam_"),
    ):
        getattr(owner, name)


def fuse(optimizer) -> None:
    """Give an optimizer PyTorch's fused update, where it is Keras's Adam.

    Keras makes some ten passes over weights and slots, each with memory of its own: on small
    networks, longer than forward and backward pass. The numbers are the same but for rounding.
    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    ours = getattr(type(optimizer), "_parallel_update_step", None) is Adam._parallel_update_step
    if ours and not optimizer.amsgrad:
        optimizer._parallel_update_step = partial(_update, optimizer)


def _update(optimizer, grads, variables, learning_rate) -> None:
    places = [optimizer._get_variable_index(v) for v in variables]
    lists = (
        [v.value for v in variables],
        [g.contiguous() for g in grads],  # those of convolutions come channels last
        [optimizer._momentums[i].value for i in places],
        [optimizer._velocities[i].value for i in places],
    )
    if not all(t.is_contiguous() and t.dtype == torch.float32 for own in lists for t in own):
        Adam._parallel_update_step(optimizer, grads, variables, learning_rate)
        return
    step = int(ops.convert_to_tensor(optimizer.iterations)) + 1
    torch._fused_adam_(
        *lists,
        [],
        [torch.tensor(float(step))] * len(variables),
        lr=float(learning_rate),
        beta1=optimizer.beta_1,
        beta2=optimizer.beta_2,
        weight_decay=0.0,  # Keras has seen to it
        # PyTorch adds it after the correction of the bias, Keras before
        eps=optimizer.epsilon / math.sqrt(1 - optimizer.beta_2**step),
        amsgrad=False,
        maximize=False,
    )
