"""Augmentation that a generator's gradient passes through (Zhao et al. 2020)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
from keras import ops

from zoo import random
from zoo.errors import unknown


@keras.saving.register_keras_serializable("zoo")
class DiffAugment(keras.layers.Layer):
    """Changes pictures at random while training, so that gradients pass (Zhao et al. 2020).

    As the first layer of a discriminator, it changes all that the discriminator sees: real and
    generated pictures, in its own moves and in the generator's.

    Args:
        policy: changes, in order: of ``"translation"``, ``"cutout"`` and ``"color"``, which
            ``zoo.nn.layers.diff_augment.differentiable`` describes.

    Raises:
        ZooError: an unknown change.
    """

    def __init__(self, policy: Sequence[str] = ("translation", "cutout"), **kwargs):
        super().__init__(**kwargs)
        self.policy = _checked(policy)

    def call(self, x, training=False):
        """Change float32 pictures ``(n, height, width, channels)``, each by draws of its own."""
        return differentiable(x, random.current(), self.policy) if training else x

    def get_config(self):
        return {**super().get_config(), "policy": list(self.policy)}


def differentiable(x, rng, policy: Sequence[str] = ("translation", "cutout")):
    """DiffAugment: pictures changed at random before a discriminator sees them.

    All that a discriminator sees is augmented, real and generated, in its moves and in the
    generator's (Zhao et al. 2020, section 3), by these changes:

    - ``"translation"``: by up to an eighth of the height and width, whole pixels.
    - ``"cutout"``: a rectangle of half the height and width, its centre anywhere, so that
      the edge may cut it.
    - ``"color"``: brightness by up to 0.5 either way; then saturation, the distance from a
      pixel's mean over its channels, times 0 to 2; then contrast, the distance from the
      picture's mean, times 0.5 to 1.5.

    These are the paper's numbers, for pictures in [-1, 1]. Any range is taken, with this in
    mind: brightness is the only change in the pictures' units, what is shifted in and cut
    out is 0, the middle of the paper's range, and nothing is clipped.

    Args:
        x: float32 pictures ``(n, height, width, channels)``.
        rng: the loss's generator; each picture has draws of its own.
        policy: names of the changes, made in this order.

    Returns:
        Pictures like ``x``.

    Raises:
        ZooError: an unknown name.
    """
    for name in _checked(policy):
        for change in _POLICIES[name]:
            x = change(x, rng)
    return x


def _checked(policy: Sequence[str]) -> tuple[str, ...]:
    """The names of changes; ``ZooError`` for an unknown one."""
    for name in policy:
        if name not in _POLICIES:
            raise unknown("augmentation", name, _POLICIES)
    return tuple(policy)


def _translation(x, rng):
    n, (height, width) = ops.shape(x)[0], x.shape[1:3]
    x = _shifted(x, 1, rng.integers((n, 1), -_eighth(height), _eighth(height) + 1))
    return _shifted(x, 2, rng.integers((n, 1), -_eighth(width), _eighth(width) + 1))


def _eighth(size):
    return (size + 4) // 8


def _shifted(x, axis, by):
    """Each picture moved along an axis by its own number of pixels, zeros moved in."""
    size = x.shape[axis]
    source = ops.arange(size, dtype="int32") - by  # (n, size)
    inside = ops.logical_and(source >= 0, source < size)
    shape = (-1, size, 1, 1) if axis == 1 else (-1, 1, size, 1)
    index = ops.reshape(ops.clip(source, 0, size - 1), shape)
    moved = ops.take_along_axis(x, index, axis=axis)
    return moved * ops.cast(ops.reshape(inside, shape), x.dtype)


def _cutout(x, rng):
    n, (height, width) = ops.shape(x)[0], x.shape[1:3]
    rows = _within(height, rng.integers((n, 1), 0, height + 1))
    columns = _within(width, rng.integers((n, 1), 0, width + 1))
    hole = ops.logical_and(rows[:, :, None, None], columns[:, None, :, None])
    return x * ops.cast(ops.logical_not(hole), x.dtype)


def _within(size, centre):
    """Which of the places 0 to size - 1 are in the half around the centre, ``(n, size)``."""
    start, places = centre - size // 4, ops.arange(size, dtype="int32")
    return ops.logical_and(places >= start, places < start + size // 2)


def _brightness(x, rng):
    return x + _one_each(x, rng, -0.5, 0.5)


def _saturation(x, rng):
    grey = ops.mean(x, axis=3, keepdims=True)
    return grey + (x - grey) * _one_each(x, rng, 0.0, 2.0)


def _contrast(x, rng):
    mean = ops.mean(x, axis=(1, 2, 3), keepdims=True)
    return mean + (x - mean) * _one_each(x, rng, 0.5, 1.5)


def _one_each(x, rng, low, high):
    return rng.uniform((ops.shape(x)[0], 1, 1, 1), low, high)


_POLICIES: dict[str, tuple[Callable, ...]] = {
    "translation": (_translation,),
    "cutout": (_cutout,),
    "color": (_brightness, _saturation, _contrast),
}
