"""Convolutions on PyTorch's CPU backend without copies of what goes in and out.

Keras keeps the channels of pictures last. For PyTorch it copies them to channels first; of a
transposed convolution it computes the full output, and crops it. PyTorch takes channels-last memory
as it is, and an equal crop of both sides as its padding.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from keras.src.backend.common.backend_utils import (
    compute_conv_transpose_output_crops_for_torch as crops_for_torch,
)
from keras.src.backend.torch import nn
from keras.src.utils.argument_validation import standardize_tuple
from torch._C._functorch import is_batchedtensor
from torch.nn import functional

_before: dict[str, Callable] = {}  # Keras's functions, while others are in their place


def install() -> None:
    """Have Keras convolve so, and pool, in this process: layers and ``keras.ops``.

    Raises:
        AttributeError: Keras has no function of such a name.
    """
    if _before:
        return
    own = (_transpose_spatial_inputs, _maybe_convert_to_channels_last, conv_transpose)
    ours = {function.__name__: function for function in own}
    _before.update({name: getattr(nn, name) for name in ours})
    for name, stock in _before.items():
        setattr(nn, name, functools.wraps(stock)(functools.partial(ours[name], stock)))


def undo() -> None:
    """Give Keras back its own functions."""
    for name, stock in _before.items():
        setattr(nn, name, stock)
    _before.clear()


def _transpose_spatial_inputs(stock, inputs):
    """A view of pictures ``(n, height, width, channels)`` with the channels second."""
    if inputs.ndim != 4 or is_batchedtensor(inputs):  # vmap knows no memory formats
        return stock(inputs)
    return inputs.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


def _maybe_convert_to_channels_last(stock, x):
    """As Keras's, but for one example or a kernel of one filter, which stay as they are.

    PyTorch 2.13 fails in the gradient of such a pair in channels-last memory ("slow_conv2d:
    grad_weight must be contiguous"), as the last batch of an epoch may be.
    """
    return x.contiguous() if x.ndim == 4 and x.shape[0] == 1 else stock(x)


def conv_transpose(
    stock,
    inputs,
    kernel,
    strides=1,
    padding="valid",
    output_padding=None,
    data_format=None,
    dilation_rate=1,
):
    """As ``keras.ops.conv_transpose``, to whose own what is not known here is left."""
    x, weights = nn.convert_to_tensor(inputs), nn.convert_to_tensor(kernel)
    strides = standardize_tuple(strides, x.ndim - 2, "strides")
    last = nn.backend.standardize_data_format(data_format) == "channels_last"
    known = last and x.ndim == 4 and x.shape[3] == weights.shape[3] and not is_batchedtensor(x)
    options = strides, padding, output_padding
    crops = crops_for_torch(x.shape, weights.shape, *options, dilation_rate) if known else []
    if not crops or min(map(min, crops)) < 0:
        return stock(inputs, kernel, *options, data_format, dilation_rate)
    both = [min(crop) for crop in crops]
    y = functional.conv_transpose2d(
        nn._transpose_spatial_inputs(x),
        weights.permute(3, 2, 0, 1),
        stride=strides,
        padding=both,
        dilation=dilation_rate,
    )
    for axis, (crop, done) in enumerate(zip(crops, both, strict=True), start=2):
        before, after = (n - done for n in crop)
        if before or after:  # narrow's gradient would copy, to channels first
            y = y.narrow(axis, before, y.shape[axis] - before - after)
    return y.permute(0, 2, 3, 1)
