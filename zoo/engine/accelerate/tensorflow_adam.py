"""Adam on TensorFlow in one pass over memory."""

from __future__ import annotations

from functools import partial

import keras
import tensorflow as tf


def install() -> None:
    """Look whether Keras's Adam has what is used of it here.

    Raises:
        AttributeError: it has not.
    """
    for name in ("update_step", "_get_variable_index"):
        getattr(keras.optimizers.Adam, name)


def fuse(optimizer) -> None:
    """Give an optimizer TensorFlow's fused update, where it is Keras's Adam.

    Keras makes some ten passes over weights and slots, each with memory of its own: on dense
    networks, as long as a forward pass. The numbers are the same but for rounding.
    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    ours = type(optimizer) in (keras.optimizers.Adam, keras.optimizers.AdamW)
    if ours and not optimizer.amsgrad and "update_step" not in vars(optimizer):
        optimizer.update_step = partial(_update, optimizer)


def _update(optimizer, gradient, variable, learning_rate) -> None:
    place = optimizer._get_variable_index(variable)
    slots = [own[place].value for own in (optimizer._momentums, optimizer._velocities)]
    dense = isinstance(gradient, tf.Tensor)  # that of a table of embeddings is not
    if not dense or any(t.dtype != tf.float32 for t in (gradient, variable, *slots)):
        keras.optimizers.Adam.update_step(optimizer, gradient, variable, learning_rate)
        return
    step = tf.cast(optimizer.iterations + 1, "float32")
    # a user's may be a number of any type
    betas = [tf.cast(beta, "float32") for beta in (optimizer.beta_1, optimizer.beta_2)]
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle,
        m=slots[0].handle,
        v=slots[1].handle,
        beta1_power=tf.pow(betas[0], step),
        beta2_power=tf.pow(betas[1], step),
        lr=tf.cast(learning_rate, "float32"),
        beta1=betas[0],
        beta2=betas[1],
        epsilon=optimizer.epsilon,
        grad=gradient,
    )
