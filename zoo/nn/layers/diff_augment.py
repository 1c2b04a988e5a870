"""Augmentation as a discriminator's first layer."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from zoo import random
from zoo.nn import augment


@keras.saving.register_keras_serializable("zoo")
class DiffAugment(keras.layers.Layer):
    """Changes pictures at random while training, so that gradients pass (Zhao et al. 2020).

    As the first layer of a discriminator, it changes all that the discriminator sees: real and
    generated pictures, in its own moves and in the generator's.

    Args:
        policy: changes, in order: of ``"translation"``, ``"cutout"`` and ``"color"``, which
            ``zoo.nn.augment.differentiable`` describes.

    Raises:
        ZooError: an unknown change.
    """

    def __init__(self, policy: Sequence[str] = ("translation", "cutout"), **kwargs):
        super().__init__(**kwargs)
        self.policy = augment.checked(policy)

    def call(self, x, training=False):
        """Change float32 pictures ``(n, height, width, channels)``, each by draws of its own."""
        return augment.differentiable(x, random.current(), self.policy) if training else x

    def get_config(self):
        return {**super().get_config(), "policy": list(self.policy)}
