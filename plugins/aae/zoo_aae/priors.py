"""The priors of section 2.3, each as ``prior(rng, shape, component, components)``.

``component`` is int32 ``(n,)``, which of the components each row is drawn from.
"""

from __future__ import annotations

import math

from keras import ops


def gaussian(rng, shape, component, components):
    """Standard normal, whatever the component."""
    return rng.normal(shape)


def mixture(rng, shape, component, components):
    """Normals in a ring like petals: at radius 2, 0.5 wide along it and 0.1 across."""
    noise = rng.normal(shape)
    angle = ops.cast(component, "float32") * (2 * math.pi / components)
    along, across = 2.0 + 0.5 * noise[:, 0], 0.1 * noise[:, 1]
    return _turned(along, across, angle)


def swiss_roll(rng, shape, component, components):
    """A spiral of one and a half turns out to radius 3, blurred by 0.05; lengths in order."""
    noise = rng.uniform((shape[0], 1))[:, 0]
    # the square root makes it as dense outside as inside
    place = ops.sqrt((ops.cast(component, "float32") + noise) / components)
    zero = ops.zeros_like(place)
    return _turned(3.0 * place, zero, 3 * math.pi * place) + 0.05 * rng.normal(shape)


def _turned(x, y, angle):
    cos, sin = ops.cos(angle), ops.sin(angle)
    return ops.stack([x * cos - y * sin, x * sin + y * cos], axis=1)


PRIORS = {"gaussian": gaussian, "mixture": mixture, "swiss_roll": swiss_roll}
