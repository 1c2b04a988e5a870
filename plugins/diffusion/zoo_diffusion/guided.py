"""What flow matching and diffusion share: a U-Net that knows the time, guided by labels."""

from __future__ import annotations

from dataclasses import dataclass

from keras import ops

import zoo
from zoo.nn.unet import unet


@dataclass(frozen=True)
class Guided(zoo.Model):
    """A network of x, t and labels with classifier-free guidance (Ho & Salimans 2022).

    Attributes:
        filters: of the U-Net's maps, the largest first; the sides of pictures halve evenly once
            for each.
        units: of the vector that tells the U-Net time and label.
        hidden: units of the dense layers at the U-Net's smallest map; 0 for none.
        blocks: residual blocks of the U-Net at each size of its maps, down and up.
        steps: of the sampler.
        conditional: whether the network is shown the labels.
        label_dropout: the probability with which training hides a label, in [0, 1).
        guidance: w of equation 6, at least 0: how far samples are pushed from what the network
            makes without a label. Above 0, a step asks the network twice.
    """

    filters: tuple[int, ...] = (32, 64)
    units: int = 128
    hidden: int = 0
    blocks: int = 1
    steps: int = 10
    conditional: bool = False
    label_dropout: float = 0.1
    guidance: float = 0.0

    value_range = (-1.0, 1.0)

    def __post_init__(self):
        where = type(self).__name__
        if self.steps < 1:
            raise zoo.ZooError(f"{where}: steps is at least 1, not {self.steps}")
        if not 0 <= self.label_dropout < 1:
            raise zoo.ZooError(f"{where}: label_dropout is in [0, 1), not {self.label_dropout}")
        if self.guidance < 0:
            raise zoo.ZooError(f"{where}: guidance is at least 0, not {self.guidance}")

    def networks(self, data):
        return {
            "unet": unet(
                shape=data.shape,
                filters=self.filters,
                units=self.units,
                hidden=self.hidden,
                blocks=self.blocks,
                num_classes=data.classes if self.conditional else 0,
            )
        }

    def shown(self, nets, labels, rng):
        """The labels of a batch, some of them hidden (algorithm 1, line 3)."""
        if not self.conditional or labels is None:
            return None
        hidden = rng.bernoulli(ops.shape(labels), self.label_dropout)
        return ops.where(hidden, nets.data.classes, labels)

    def predict(self, nets, x, t, labels=None):
        """What the network makes of x at one time t, guided (equation 6): like x."""
        t = ops.broadcast_to(t, ops.shape(x)[:1])
        told = nets.unet([x, t], labels=labels)
        if not self.conditional or labels is None or not self.guidance:
            return told
        untold = nets.unet([x, t], labels=ops.full_like(labels, nets.data.classes))
        return (1 + self.guidance) * told - self.guidance * untold
