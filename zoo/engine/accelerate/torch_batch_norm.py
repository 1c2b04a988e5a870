"""Batch normalization on PyTorch in one operation, where Keras takes a dozen passes over memory."""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from keras.layers import BatchNormalization
from torch._C._functorch import is_batchedtensor

_before: list[Callable] = []  # Keras's ``call``, while another is in its place


def install() -> None:
    """Have Keras's layers normalize so in training, in this process.

    Raises:
        AttributeError: PyTorch has no such operation, or does not tell whether it casts by itself.
    """
    if _before:
        return
    torch.native_batch_norm, torch._C._is_any_autocast_enabled  # noqa: B018  # are they there?
    stock = BatchNormalization.call

    @functools.wraps(stock)
    def call(self, inputs, training=None, mask=None):
        if training and mask is None and _suits(self, inputs):
            return _normalized(self, inputs)
        return stock(self, inputs, training=training, mask=mask)

    _before.append(stock)
    BatchNormalization.call = call


def undo() -> None:
    """Give Keras back its own function."""
    if _before:
        BatchNormalization.call = _before.pop()


def _suits(layer, x) -> bool:
    """Whether a layer normalizes the last axis of a plain float32 tensor, and learns statistics."""
    plain = isinstance(x, torch.Tensor) and x.dtype is torch.float32 and x.device.type != "meta"
    return (
        plain
        and len(x) > 0
        and layer.trainable
        and layer.axis in (-1, x.ndim - 1)
        and not layer.renorm
        and not layer.synchronized
        and "_moments" not in vars(layer)  # those of several processes
        and layer.epsilon > 0
        and layer.compute_dtype == layer.variable_dtype == "float32"
        and x.device == layer.moving_mean.value.device
        and not torch._C._is_any_autocast_enabled()
        and not is_batchedtensor(x)
    )


def _normalized(layer, x):
    scale, offset = (v if v is None else v.value for v in (layer.gamma, layer.beta))
    y, mean, inverse = torch.native_batch_norm(
        x.movedim(-1, 1), scale, offset, None, None, True, 0.0, layer.epsilon
    )
    variance = inverse.detach() ** -2 - layer.epsilon
    for moving, own in ((layer.moving_mean, mean.detach()), (layer.moving_variance, variance)):
        moving.assign(moving.value * layer.momentum + own * (1 - layer.momentum))
    return y.movedim(1, -1)
