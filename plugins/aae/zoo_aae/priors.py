"""The priors of section 2.3, of two dimensions, whose components labels may name."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any

from keras import ops

from zoo.nn.distributions import Prior


@dataclass(frozen=True)
class Labelled(Prior):
    """A prior of two dimensions and of components with equal chances.

    Attributes:
        components: one for each class, where labels name them.
        labels: int32 ``(n,)``, the component of each sample; None for any.
    """

    dimension: int = field(default=2, init=False)
    components: int = 10
    labels: Any = field(default=None, init=False, repr=False, compare=False)

    def given(self, labels) -> Labelled:
        """p(z|labels), int32 ``(n,)``; p(z) for None."""
        prior = dataclasses.replace(self)
        object.__setattr__(prior, "labels", labels)
        return prior

    def component(self, rng, n):
        """Which component each of n samples is of, float32 ``(n,)``."""
        labels = self.labels
        if labels is None:
            labels = rng.integers((n,), 0, self.components)
        return ops.cast(labels, "float32")


@dataclass(frozen=True)
class Petals(Labelled):
    """Normals in a ring like petals: at radius 2, 0.5 wide along it and 0.1 across."""

    def sample(self, rng, n=None):
        angle = self.component(rng, n) * (2 * math.pi / self.components)
        noise = rng.normal((n, 2))
        return _turned(2.0 + 0.5 * noise[:, 0], 0.1 * noise[:, 1], angle)


@dataclass(frozen=True)
class SwissRoll(Labelled):
    """A spiral of one and a half turns out to radius 3, blurred by 0.05; lengths in order."""

    def sample(self, rng, n=None):
        component = self.component(rng, n)
        # the square root makes it as dense outside as inside
        place = ops.sqrt((component + rng.uniform((n, 1))[:, 0]) / self.components)
        zero = ops.zeros_like(place)
        return _turned(3.0 * place, zero, 3 * math.pi * place) + 0.05 * rng.normal((n, 2))


def _turned(x, y, angle):
    cos, sin = ops.cos(angle), ops.sin(angle)
    return ops.stack([x * cos - y * sin, x * sin + y * cos], axis=1)
