"""Layer normalization in one operation on PyTorch gives what a dozen give."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from zoo.engine import accelerate
from zoo.nn.layers import LayerNormalization

if keras.backend.backend() != "torch":
    pytest.skip("about Keras's PyTorch backend", allow_module_level=True)

import torch

pytestmark = pytest.mark.usefixtures("accelerated")


def found(shape):
    """Outputs, and gradients of first and second order, of a layer with some gain and bias."""
    layer = LayerNormalization()
    layer.build(shape)
    channels = np.arange(shape[-1], dtype="float32")
    layer.set_weights([1 + 0.1 * channels, 0.2 * channels])
    x = torch.arange(float(np.prod(shape))).reshape(shape).sin().requires_grad_()
    weights = [v.value for v in layer.trainable_variables]
    y = layer(x)
    first = torch.autograd.grad((y**3).sum(), [x, *weights], create_graph=True)
    second = torch.autograd.grad((first[0] ** 2).sum(), [x, *weights])
    return [y, *first, *second]


@pytest.mark.parametrize("shape", [(6, 4, 5, 3), (6, 5), (1, 2, 2, 1), (2, 7, 3)])
def test_it_gives_what_a_dozen_operations_give(shape):
    assert accelerate.on("torch_layer_norm")
    ours = found(shape)
    accelerate.undo()
    assert not accelerate.on("torch_layer_norm")
    for one, other in zip(ours, found(shape), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_half_precision_is_normalized_in_float32():
    layer = LayerNormalization(dtype="bfloat16")
    x = torch.arange(24.0).reshape(2, 2, 2, 3).to(torch.bfloat16)
    ours = layer(x)
    accelerate.undo()
    assert ours.dtype == torch.bfloat16
    torch.testing.assert_close(ours, layer(x), rtol=1e-2, atol=1e-2)


def test_within_vmap_and_for_single_numbers_it_is_left_to_keras():
    layer = LayerNormalization()
    x = torch.arange(48.0).reshape(2, 2, 2, 2, 3).sin()
    found = torch.vmap(layer)(x)
    torch.testing.assert_close(found, torch.stack([layer(one) for one in x]))
    assert LayerNormalization()(torch.ones(1, 1)).shape == (1, 1)


def test_no_examples_are_normalized_too():
    layer = LayerNormalization()
    assert layer(torch.ones(0, 4, 4, 3)).shape == (0, 4, 4, 3)
