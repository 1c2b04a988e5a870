"""Packing, against mode collapse: a discriminator judges several examples together."""

from __future__ import annotations

import math

import keras
from keras import ops

from zoo import random
from zoo.engine import distributed
from zoo.engine.distributed.reduction import whole


@keras.saving.register_keras_serializable("zoo")
class Packed(keras.layers.Layer):
    """A discriminator of packs of examples (PacGAN, Lin et al. 2018, section 3.1).

    Neighbours in the batch lie side by side in the last axis.

    Args:
        network: from packs ``(m, ..., size * c)``, of the shape that ``Packed.shape`` gives, to
            logits ``(m, 1)``.
        size: examples in a pack.
    """

    def __init__(self, network: keras.layers.Layer, size: int, **kwargs):
        super().__init__(**kwargs)
        self.network, self.size = network, size

    @staticmethod
    def shape(shape, size: int) -> tuple[int, ...]:
        """The shape of a pack of examples of a shape."""
        return (*shape[:-1], shape[-1] * size)

    def call(self, x, training=False):
        """Judge float32 examples ``(n, ..., c)``: one logit per pack, ``(ceil(n / size), 1)``.

        The first examples fill up the last pack.
        """
        share = random.share()
        if share and share.of % (self.size * distributed.size()):
            x = whole(x)  # a pack may have examples of several processes
        n = ops.shape(x)[0]
        packs = (n + self.size - 1) // self.size
        x = ops.take(x, ops.arange(packs * self.size) % n, axis=0)
        x = ops.moveaxis(ops.reshape(x, (packs, self.size, *x.shape[1:])), 1, -2)
        x = ops.reshape(x, (packs, *x.shape[1:-2], math.prod(x.shape[-2:])))
        return self.network(x, training=training)

    def get_config(self):
        network = keras.saving.serialize_keras_object(self.network)
        return {**super().get_config(), "network": network, "size": self.size}

    @classmethod
    def from_config(cls, config):
        network = keras.saving.deserialize_keras_object(config.pop("network"))
        return cls(network, **config)
