"""Convolutions on PyTorch's CPU backend without copies are those of Keras."""

from __future__ import annotations

import functools
import itertools

import keras
import numpy as np
import pytest
from keras import ops

if keras.backend.backend() != "torch":
    pytest.skip("about Keras's PyTorch backend", allow_module_level=True)

import torch
from keras.src.backend.torch import nn

from zoo.engine.accelerate import torch_convolutions

pytestmark = pytest.mark.usefixtures("accelerated")

CASES = [
    (side, kernel, strides, padding, dilation)
    for side, kernel, strides, padding, dilation in itertools.product(
        (5, 8), (1, 2, 3, 4, 5), (1, 2, 3), ("same", "valid"), (1, 2)
    )
    if not (strides > 1 and dilation > 1) and (side >= dilation * (kernel - 1) + 1)
]


def found(function, *shapes):
    """What a function of tensors gives, and its first and second derivatives."""
    rng = np.random.default_rng(0)
    tensors = [torch.tensor(rng.normal(size=s), dtype=torch.float64) for s in shapes]
    for t in tensors:
        t.requires_grad_()
    y = function(*tensors)
    first = torch.autograd.grad((y**3).sum(), tensors, create_graph=True)
    second = torch.autograd.grad(sum((g**2).sum() for g in first), tensors)
    return [t.detach().numpy() for t in (y, *first, *second)]


@pytest.mark.parametrize("transposed", [False, True], ids=["ordinary", "transposed"])
def test_convolutions_are_those_of_keras(transposed):
    convolve = ops.conv_transpose if transposed else ops.conv

    def all_of_them():
        for side, kernel, strides, padding, dilation in CASES:
            convolved = functools.partial(
                convolve, strides=strides, padding=padding, dilation_rate=dilation
            )
            channels = (2, 3) if transposed else (3, 2)
            yield found(convolved, (2, side, side + 1, 3), (kernel, kernel, *channels))

    ours = list(all_of_them())
    torch_convolutions.undo()
    for a, b in zip(ours, all_of_them(), strict=True):
        for one, other in zip(a, b, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10)
    assert len(ours) > 60


def test_convolutions_that_are_not_of_pictures_or_end_elsewhere_are_those_of_keras():
    def all_of_them():
        yield found(lambda x, k: ops.conv_transpose(x, k, 2, "same"), (2, 5, 3), (4, 2, 3))
        yield found(lambda x, k: ops.conv(x, k, 2, "same"), (2, 5, 3), (4, 3, 2))
        yield found(lambda x, k: ops.conv(x, k), (2, 5, 5, 4), (3, 3, 2, 6))  # groups
        yield found(
            lambda x, k: ops.conv_transpose(x, k, 2, "same", output_padding=1),
            (2, 5, 4, 3),
            (5, 5, 2, 3),
        )
        yield found(
            lambda x, k: ops.conv_transpose(x, k, 3, "same"), (2, 5, 4, 3), (2, 2, 2, 3)
        )  # filled up
        yield found(
            lambda x, k: ops.conv_transpose(x, k, 2, data_format="channels_first"),
            (2, 3, 4, 4),
            (3, 3, 2, 3),
        )

    ours = list(all_of_them())
    torch_convolutions.undo()
    for a, b in zip(ours, all_of_them(), strict=True):
        for one, other in zip(a, b, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10)


def test_channels_that_do_not_fit_are_refused_as_by_keras():
    with pytest.raises(ValueError, match="input channels"):
        ops.conv_transpose(np.ones((1, 4, 4, 3), "float32"), np.ones((3, 3, 2, 5), "float32"))


def test_nothing_is_copied_or_made_larger():
    x = torch.ones(2, 7, 7, 3)
    assert nn._transpose_spatial_inputs(x).data_ptr() == x.data_ptr()
    y = ops.conv_transpose(x, np.ones((4, 4, 2, 3), "float32"), 2, "same")
    assert y.untyped_storage().nbytes() == 4 * y.numel()


def test_gradients_of_what_is_not_cropped_are_not_copied():
    x = torch.ones(2, 7, 7, 3, requires_grad=True)
    y = ops.conv_transpose(x, np.ones((4, 4, 2, 3), "float32"), 2, "same")
    assert "Slice" not in str(y.grad_fn.next_functions) and "Conv" in str(y.grad_fn.next_functions)


def test_convolutions_and_pooling_within_vmap_are_those_of_keras():
    x, kernel = torch.ones(2, 1, 4, 4, 3), torch.ones(3, 3, 2, 3)
    for function in (lambda x: ops.max_pool(x, 2), lambda x: ops.conv_transpose(x, kernel)):
        np.testing.assert_array_equal(
            torch.vmap(function)(x), torch.stack([function(one) for one in x])
        )


def test_keras_still_copies():
    """Else zoo/engine/accelerate/torch_convolutions.py can go."""
    x = torch.ones(2, 7, 7, 3)
    assert not torch.equal(  # channels first: a copy
        torch.tensor(nn._transpose_spatial_inputs.__wrapped__(x).stride()),
        torch.tensor(x.permute(0, 3, 1, 2).stride()),
    )
    torch_convolutions.undo()
    y = ops.conv_transpose(x, np.ones((4, 4, 2, 3), "float32"), 2, "same")
    assert y.untyped_storage().nbytes() > 4 * y.numel()  # larger, and cropped


def gradients_of_one_filter():
    x = torch.ones((1, 8, 8, 4), requires_grad=True)
    kernel = torch.ones((3, 3, 4, 1), requires_grad=True)
    return torch.autograd.grad(ops.sum(ops.conv(x, kernel, padding="same")), [x, kernel])


def test_one_example_and_one_filter_have_gradients():
    of_x, of_kernel = gradients_of_one_filter()
    assert of_kernel[1, 1, 0, 0] == 64 and of_kernel[0, 0, 0, 0] == 49
    assert of_x[0, 4, 4, 0] == 9


def test_pytorch_still_fails_there_without_help():
    """Where this fails, PyTorch is mended, and ``_maybe_convert_to_channels_last`` can go."""
    torch_convolutions.undo()
    with pytest.raises(RuntimeError, match="grad_weight must be contiguous"):
        gradients_of_one_filter()
