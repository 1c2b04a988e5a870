"""What all models share: layers, the zoo's weights, Adam, precision.

Pictures are stored channels last: ``pictures`` and ``Maps`` give views of what lies so, as
PyTorch's convolutions want it, and ``Vectors`` copies nothing.
"""

from __future__ import annotations

import itertools
from typing import Any

import keras
import torch
from keras.src.backend.torch.core import get_device
from torch import nn

KERAS_NORM: dict[str, Any] = {"eps": 1e-3, "momentum": 0.01}  # of batch normalization


class Maps(nn.Module):
    """Vectors to square maps."""

    def __init__(self, side, count):
        super().__init__()
        self._shape = (side, side, count)

    def forward(self, x):
        return x.unflatten(1, self._shape).permute(0, 3, 1, 2)


class Vectors(nn.Module):
    """Maps to vectors."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


def pictures(x):
    """As a convolution takes them."""
    return x.permute(0, 3, 1, 2)


def halve(a, b, **options):
    """A convolution that halves the sides."""
    return nn.Conv2d(a, b, 4, 2, padding=1, **options)


def double(a, b, **options):
    """A transposed convolution that doubles the sides."""
    return nn.ConvTranspose2d(a, b, 4, 2, padding=1, **options)


def side(filters):
    """Of the smallest maps."""
    return 28 // 2 ** len(filters)


def prepared(module, net):
    """A module with a Keras network's weights, channels last, on Keras's device.

    Raises:
        ValueError: the module has other weights than the network.
    """
    theirs, ours = list(module.parameters()), net.trainable_variables
    values = [_laid_out(v.value.detach()) for v in ours]
    if [p.shape for p in theirs] != [v.shape for v in values]:
        raise ValueError("the network by hand has other weights than the zoo's")
    with torch.no_grad():
        for parameter, value in zip(theirs, values, strict=True):
            parameter.copy_(value)
    return module.to(get_device(), memory_format=torch.channels_last)


def _laid_out(value):
    """Keras's kernels end in inputs and outputs; PyTorch's begin with outputs and inputs."""
    order = {1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}[value.ndim]
    return value.permute(order)


def adam(case, *modules):
    """Adam in one operation."""
    weights = itertools.chain(*(module.parameters() for module in modules))
    return torch.optim.Adam(weights, case.rate, betas=(case.beta_1, 0.999), eps=1e-7, fused=True)


def autocast():
    """Where a network runs forward."""
    bfloat16 = keras.config.dtype_policy().name == "mixed_bfloat16"
    return torch.autocast(get_device().partition(":")[0], torch.bfloat16, enabled=bfloat16)
