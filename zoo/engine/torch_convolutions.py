"""Convolutions on PyTorch's CPU backend without copies of what goes in and out.

Keras keeps the channels of pictures last. For PyTorch it copies them to channels first, and makes
what is transposed larger than asked for, to crop it. PyTorch takes channels-last memory as it is,
and an equal crop of both sides as its padding.
"""

from __future__ import annotations

import functools
import inspect

import torch
from keras.src.backend.common.backend_utils import (
    compute_conv_transpose_output_crops_for_torch as crops_for_torch,
)
from keras.src.backend.torch import nn
from keras.src.utils.argument_validation import standardize_tuple
from torch.nn import functional


def install() -> None:
    """Have Keras's layers and ``keras.ops`` convolve so, where Keras is as this module knows it."""
    _replace(nn, "_transpose_spatial_inputs", _channels_first)
    _replace(nn, "conv_transpose", _conv_transpose)


def _replace(module, name, ours) -> None:
    stock = getattr(module, name, None)
    if stock is not None and _arguments(stock) == _arguments(ours)[1:]:
        setattr(module, name, functools.wraps(stock)(functools.partial(ours, stock)))


def _arguments(function) -> list[str]:
    return list(inspect.signature(function).parameters)


def _channels_first(stock, inputs):
    """A view of pictures ``(n, height, width, channels)`` with the channels second."""
    if inputs.ndim != 4:
        return stock(inputs)
    return inputs.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


def _conv_transpose(
    stock,
    inputs,
    kernel,
    strides=1,
    padding="valid",
    output_padding=None,
    data_format=None,
    dilation_rate=1,
):
    x, weights = nn.convert_to_tensor(inputs), nn.convert_to_tensor(kernel)
    last = nn.backend.standardize_data_format(data_format) == "channels_last"
    known = last and x.ndim == 4 and x.shape[3] == weights.shape[3]
    crops = known and crops_for_torch(
        x.shape, weights.shape, strides, padding, output_padding, dilation_rate
    )
    if not known or min(map(min, crops)) < 0:
        return stock(inputs, kernel, strides, padding, output_padding, data_format, dilation_rate)
    both = [min(crop) for crop in crops]
    y = functional.conv_transpose2d(
        _channels_first(stock, x),
        weights.permute(3, 2, 0, 1),
        stride=standardize_tuple(strides, 2, "strides"),
        padding=both,
        dilation=dilation_rate,
    )
    for axis, (crop, done) in enumerate(zip(crops, both, strict=True), start=2):
        before, after = (n - done for n in crop)
        y = y.narrow(axis, before, y.shape[axis] - before - after)
    return y.permute(0, 2, 3, 1)
