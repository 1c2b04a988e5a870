"""Batch normalization in one operation on PyTorch gives what Keras's gives."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from zoo.engine import accelerate

if keras.backend.backend() != "torch":
    pytest.skip("about Keras's PyTorch backend", allow_module_level=True)

import torch

pytestmark = pytest.mark.usefixtures("accelerated")


def found(layer, shape, training=True):
    """Outputs, gradients of first and second order, and the statistics after a call."""
    layer.build(shape)
    x = torch.arange(float(np.prod(shape))).reshape(shape).sin().requires_grad_()
    weights = [v.value for v in layer.trainable_variables]
    y = layer(x, training=training)
    first = torch.autograd.grad((y**3).sum(), [x, *weights], create_graph=True)
    second = torch.autograd.grad((first[0] ** 2).sum(), [x])
    return [y, *first, *second, *(v.value for v in layer.non_trainable_variables)], y


@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False}, {"momentum": 0.5}])
@pytest.mark.parametrize("shape", [(6, 4, 4, 3), (6, 5)])
def test_it_gives_what_keras_gives(options, shape):
    ours, y = found(layers.BatchNormalization(**options), shape)
    assert "NativeBatchNorm" in type(y.grad_fn).__name__ + str(y.grad_fn.next_functions)
    accelerate.undo()
    theirs, y = found(layers.BatchNormalization(**options), shape)
    assert "NativeBatchNorm" not in type(y.grad_fn).__name__ + str(y.grad_fn.next_functions)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "dtype"),
    [({"axis": 1}, "float32"), ({"renorm": True}, "float32"), ({}, "float64")],
    ids=["another axis", "renorm", "doubles"],
)
def test_what_is_not_known_is_left_to_keras(options, dtype):
    layer = layers.BatchNormalization(**options, dtype=dtype)
    y = layer(torch.ones(4, 3, 3, 3, dtype=getattr(torch, dtype)), training=True)
    assert "NativeBatchNorm" not in type(y.grad_fn).__name__ + str(y.grad_fn.next_functions)


def test_frozen_layers_and_inference_keep_their_statistics():
    layer = layers.BatchNormalization()
    layer.build((None, 3))
    before = layer.get_weights()
    layer(torch.ones(4, 3), training=False)
    layer.trainable = False
    layer(torch.ones(4, 3), training=True)
    layer(torch.ones(0, 3), training=False)
    for one, other in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
