"""What processes agree on in a step, and what they compute over the whole batch."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops, tree

from zoo import random
from zoo.engine import distributed
from zoo.errors import ZooError
from zoo.runtime.keras_compat import moments_by


def agreed(share: random.Share, found, grads, assigned, variables):
    """Of one process's part of a move, that of the whole batch; one call to the others.

    Args:
        share: the rows that this process has.
        found: ``(sums, scalars, totals)`` of the move's forward pass over them.
        grads: ``{player: gradients}``.
        assigned: ``{id(variable): value}``.
        variables: of the model, in an order that is the same in every process: ids are not.

    Returns:
        ``found``, ``grads`` and ``assigned``.
    """
    sums, scalars, totals = found
    order = [id(v) for v in variables if id(v) in assigned]
    # a sum is so many times the mean of the rows
    parts = sums * (share.of / share.rows), scalars, totals, grads, [assigned[i] for i in order]
    sums, scalars, totals, grads, values = mean(parts, share)
    return (sums, scalars, totals), grads, {**assigned, **dict(zip(order, values, strict=True))}


def mean(structure, share: random.Share):
    """The means over the whole batch of all float tensors in a structure, which are of a share."""
    assert distributed.team is not None
    leaves = [ops.convert_to_tensor(leaf) for leaf in tree.flatten(structure)]
    kinds = [keras.backend.standardize_dtype(leaf.dtype) for leaf in leaves]
    places = [i for i, kind in enumerate(kinds) if "float" in kind]
    rows = [ops.reshape(ops.cast(ops.stop_gradient(leaves[i]), "float32"), (-1,)) for i in places]
    flat = distributed.team.mean(ops.concatenate(rows), share.weight)
    start = 0
    for i, row in zip(places, rows, strict=True):
        own = flat[start : start + row.shape[0]]
        leaves[i] = ops.cast(ops.reshape(own, leaves[i].shape), kinds[i])
        start += row.shape[0]
    return tree.pack_sequence_as(structure, leaves)


def take_over(model: Any) -> None:
    """Give a model the state that it has in the first process, where callbacks change it."""
    if distributed.team is not None:
        variables = model.trainable_variables, model.non_trainable_variables
        of_steps = model.optimizer.variables, model.metrics_variables
        distributed.spread([v for group in (*variables, *of_steps) for v in group])


def whole(x):
    """The rows of the whole batch, where several processes have some of them each.

    For a loss that compares examples with each other: a mean over the batch within a function that
    is not linear, distances of all pairs. Its value is then that of one process, and so are its
    gradients, which go to each row's own process. Alone, or on several devices of JAX, it is ``x``.

    Args:
        x: float32 ``(n, ...)``, a row per example of the batch.

    Returns:
        ``(rows of the whole batch, ...)``.

    Raises:
        ZooError: the rows are not those of the batch.
    """
    own, team = random.share(), distributed.team
    if own is None or team is None:
        return x
    if x.shape[0] != own.rows:
        raise ZooError(
            f"zoo.nn.losses.whole: {x.shape[0]} rows, where a process has {own.rows} of the batch: "
            "give it one row per example, or train with --devices 1"
        )
    if not own.weight:  # this process only looks on
        return team.mean(ops.zeros((own.of, *x.shape[1:])) + 0.0 * ops.sum(x), 0.0)
    behind = own.of - own.first - own.rows
    rest = [(0, 0)] * (len(x.shape) - 1)
    return team.mean(ops.pad(x / own.weight, [(own.first, behind), *rest]), own.weight)


def synchronize(model: Any) -> None:
    """Have the layers of batch normalization take their moments over the whole batch.

    Alone they stay as they are.
    """
    for layer in model._flatten_layers(recursive=True):
        if isinstance(layer, keras.layers.BatchNormalization):
            moments_by(layer, _moments)


def _moments(layer, x, mask):
    """Mean and variance of the whole batch, along all axes but the layer's."""
    own, team = random.share(), distributed.team
    if own is None or team is None:
        return None
    if mask is not None:
        raise ZooError(
            f"{layer.name}: batch normalization with a mask has no moments over several devices: "
            "train with --batch-norm per-device, or with --devices 1"
        )
    axes = [axis for axis in range(len(x.shape)) if axis != layer.axis % len(x.shape)]
    # around what is near the mean: squares of large numbers would lose the small differences
    near = ops.stop_gradient(ops.cast(layer.moving_mean, x.dtype))
    near = ops.reshape(near, [1 if axis in axes else -1 for axis in range(len(x.shape))])
    apart = x - near
    both = ops.stack([ops.mean(apart, axes), ops.mean(ops.square(apart), axes)])
    first, second = ops.unstack(team.mean(both, own.weight))
    return first + ops.reshape(near, (-1,)), second - ops.square(first)
