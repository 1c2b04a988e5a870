"""Networks on PyTorch, which runs them layer by layer at every step.

Around a layer's ``call``, Keras binds arguments, looks for masks, casts and opens scopes. For
layers that need none of it, only ``call`` is run.
"""

from __future__ import annotations

from functools import partial

import torch
from keras import Layer, Sequential
from keras.layers import BatchNormalization, Dense
from keras.src.backend import get_autocast_scope, standardize_dtype
from keras.src.backend.torch.layer import TorchLayer
from keras.src.models.functional import Functional, operation_fn, unpack_singleton
from torch.nn.modules.module import _has_any_global_hook


def install() -> None:
    """Look whether Keras and PyTorch have what is used of them here.

    Raises:
        AttributeError: one of them has not.
    """
    for owner, names in (
        (Layer, ("_get_call_context", "_maybe_reset_call_context", "compute_mask")),
        (TorchLayer, ("forward",)),
        (Functional, ("_run_through_graph",)),
        (torch._C, ("_is_any_autocast_enabled",)),
    ):
        for name in names:
            getattr(owner, name)


def call(network, inputs, **kwargs):
    """What ``network(inputs, **kwargs)`` gives.

    Args:
        network: a Keras layer, which only as a functional or sequential model is run otherwise.
        inputs: a tensor or several.
        **kwargs: other arguments, of which only ``training`` is known here.
    """
    graph = network._functional if type(network) is Sequential else network
    given = inputs if isinstance(inputs, list) else [inputs]
    if (
        type(graph) is not Functional
        or kwargs.keys() != {"training"}
        or get_autocast_scope() is not None
        or _has_any_global_hook()
        or not _bare(network)
        or not _as_declared(given, graph.inputs)
    ):
        return network(inputs, **kwargs)
    context = network._get_call_context()  # clears losses, tells inner layers whether it trains
    context.set_value("training", kwargs["training"])
    try:
        return unpack_singleton(graph._run_through_graph(given, partial(_function, **kwargs)))
    finally:
        network._maybe_reset_call_context()


def _function(operation, training):
    """What computes a layer: its ``call`` alone, where that is the same."""
    in_full = operation_fn(operation, training=training)
    if not _bare(operation) or operation._layers or not operation.built:
        return in_full
    compute = operation.call
    if _plain_dense(operation):
        compute = partial(_dense, operation)
    elif training and _plain_batch_norm(operation):
        compute = partial(_batch_norm, operation)
    elif operation._call_has_training_arg:
        compute = partial(compute, training=training)

    def call(*args, **kwargs):
        # without what training was when the graph was made
        given = {name: value for name, value in kwargs.items() if name != "training"}
        masked = given and given != {"mask": None}
        if masked or len(args) != 1 or not _plain(args[0]):
            return in_full(*args, **kwargs)
        try:
            return compute(*args, **given)
        except Exception as error:
            error.add_note(f"in layer {operation.name!r}, given {tuple(args[0].shape)}")
            raise

    return call


def _plain_dense(layer) -> bool:
    """Whether a layer is Keras's dense one, with a bias and nothing put in its place."""
    own = type(layer) is Dense and "call" not in vars(layer)
    return own and layer.bias is not None and not layer.lora_enabled


def _dense(layer, x):
    """What a dense layer's ``call`` gives, the bias added as the product is computed."""
    kernel = layer.kernel.value
    if x.ndim != 2 or _converted(x, kernel):
        return layer.call(x)
    y = torch.addmm(layer.bias.value, x, kernel)
    return y if layer.activation is None else layer.activation(y)


def _plain_batch_norm(layer) -> bool:
    """Whether a layer is Keras's batch normalization of the last axis, which learns statistics."""
    own = type(layer) is BatchNormalization and "call" not in vars(layer)
    last = own and layer.axis in (-1, layer.input_spec.ndim - 1)
    return last and layer.trainable and not layer.renorm and layer.epsilon > 0


def _batch_norm(layer, x, mask=None):
    """What batch normalization's ``call`` gives in training, of tensors without a mask."""
    if not len(x) or _converted(x, layer.moving_mean.value):
        return layer.call(x, training=True)
    scale, offset = (v if v is None else v.value for v in (layer.gamma, layer.beta))
    y, mean, inverse = torch.native_batch_norm(
        x.movedim(-1, 1), scale, offset, None, None, True, 0.0, layer.epsilon
    )
    variance = inverse.detach() ** -2 - layer.epsilon
    for moving, own in ((layer.moving_mean, mean.detach()), (layer.moving_variance, variance)):
        moving.assign(moving.value * layer.momentum + own * (1 - layer.momentum))
    return y.movedim(1, -1)


def _converted(x, weights) -> bool:
    """Whether Keras would move a layer's input to its weights, or PyTorch cast either."""
    return x.device != weights.device or torch._C._is_any_autocast_enabled()


def _bare(layer) -> bool:
    """Whether nothing happens around a layer's ``call``, if its input is plain."""
    return (
        isinstance(layer, Layer)
        and type(layer).__call__ is Layer.__call__
        and type(layer).forward is TorchLayer.forward
        and type(layer).compute_mask is Layer.compute_mask
        and layer.compute_dtype == layer.variable_dtype == "float32"
        and layer.quantization_mode is None
        and layer._remat_mode is None
        and layer.activity_regularizer is None
        and not layer._forward_pre_hooks
        and not layer._forward_hooks
        and not layer._backward_pre_hooks
        and not layer._backward_hooks
    )


def _plain(x) -> bool:
    """Whether Keras would neither cast a tensor nor find a mask on it."""
    unmasked = getattr(x, "_keras_mask", None) is None
    return isinstance(x, torch.Tensor) and x.dtype is torch.float32 and unmasked


def _as_declared(given, declared) -> bool:
    """Whether a network's inputs are what it was built for, so that none is cast or reshaped."""
    return len(given) == len(declared) and all(
        isinstance(x, torch.Tensor)
        and getattr(x, "_keras_mask", None) is None
        and x.ndim == len(like.shape)
        and all(b is None or a == b for a, b in zip(x.shape, like.shape, strict=True))
        and standardize_dtype(x.dtype) == like.dtype
        for x, like in zip(given, declared, strict=True)
    )
