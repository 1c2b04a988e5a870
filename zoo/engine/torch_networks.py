"""Networks on PyTorch, which runs them layer by layer at every step.

Around a layer's ``call``, Keras binds arguments, looks for masks, casts and opens scopes. In small
networks this takes as long as the arithmetic. Where a layer needs none of it, ``call`` is all.
"""

from __future__ import annotations

from functools import partial

import torch
from keras import Layer, Sequential
from keras.src.backend import standardize_dtype
from keras.src.models.functional import Functional, operation_fn, unpack_singleton


def call(network, inputs, **kwargs):
    """``network(inputs, **kwargs)``."""
    graph = network._functional if type(network) is Sequential else network
    given = inputs if isinstance(inputs, list) else [inputs]
    if (
        type(graph) is not Functional
        or set(kwargs) != {"training"}
        or not _bare(network)
        or not _as_declared(given, graph)
    ):
        return network(inputs, **kwargs)
    return unpack_singleton(graph._run_through_graph(given, partial(_function, **kwargs)))


def _function(operation, training):
    """What computes a layer: its ``call`` alone, where that is the same."""
    if not _bare(operation) or operation._layers or not operation.built:
        return operation_fn(operation, training=training)
    if not operation._call_has_training_arg:
        return operation.call

    def call(*args, **kwargs):  # which hold what training was when the network was put together
        return operation.call(*args, **(kwargs | {"training": training}))

    return call


def _bare(layer) -> bool:
    """Whether nothing happens around a layer's ``call``."""
    return (
        isinstance(layer, Layer)
        and type(layer).__call__ is Layer.__call__
        and type(layer).compute_mask is Layer.compute_mask
        and layer.compute_dtype == layer.variable_dtype == "float32"
        and layer.activity_regularizer is None
        and not layer._forward_pre_hooks
        and not layer._forward_hooks
        and not layer._backward_pre_hooks
        and not layer._backward_hooks
    )


def _as_declared(given, graph) -> bool:
    """Whether inputs are what the network was built for, so that none is cast or reshaped."""
    return len(given) == len(graph.inputs) and all(
        isinstance(x, torch.Tensor)
        and x.ndim == len(declared.shape)
        and all(b is None or a == b for a, b in zip(x.shape, declared.shape, strict=True))
        and standardize_dtype(x.dtype) == declared.dtype
        for x, declared in zip(given, graph.inputs, strict=True)
    )
