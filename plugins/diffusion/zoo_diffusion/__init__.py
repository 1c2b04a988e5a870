"""Flow matching (Lipman et al. 2023) for pictures, with classifier-free guidance by labels."""

from __future__ import annotations

from dataclasses import dataclass

from keras import ops

import zoo
from zoo.errors import unknown
from zoo.nn import losses
from zoo.nn.networks import unet

SOLVERS = ("midpoint", "heun", "euler")


@dataclass(frozen=True)
class FlowMatching(zoo.Model):
    """Flow matching along straight lines from noise to pictures (section 4.1, example II).

    A U-Net is the velocity v(x, t) of a flow that takes N(0, I) at time 0 to the pictures at time
    1. A sample is the end of a path that starts at noise (equation 1), in ``steps`` steps of a
    solver. Where the network is shown labels, training hides some of them, and samples can be
    guided (Ho & Salimans 2022).

    Attributes:
        filters: of the U-Net's maps, the largest first; the sides of pictures halve evenly once
            for each.
        units: of the vector that tells the U-Net time and label.
        hidden: units of the U-Net's dense block at its smallest map; 0 for none.
        blocks: residual blocks of the U-Net at each size of its maps, on each way.
        sigma_min: deviation of the noise that is left at time 1.
        logit_normal: whether times in training are sigmoids of normal numbers, which favours the
            middle (Esser et al. 2024, section 3.1), rather than uniform in (0, 1) as in the paper.
        solver: ``"midpoint"`` and ``"heun"``, of second order, ask for two velocities per step,
            ``"euler"``, of first order, for one. Heun's last one is at time 1, which training
            hardly ever sees: it leaves grain.
        steps: of the solver.
        conditional: whether the network is shown the labels.
        label_dropout: probability with which training hides a label, in [0, 1).
        guidance: how far samples are pushed away from what the network makes without a label, at
            least 0. Above 0, a velocity takes two passes of the network.
    """

    filters: tuple[int, ...] = (32, 64)
    units: int = 128
    hidden: int = 0
    blocks: int = 1
    sigma_min: float = 1e-4
    logit_normal: bool = False
    solver: str = "midpoint"
    steps: int = 10
    conditional: bool = False
    label_dropout: float = 0.1
    guidance: float = 0.0

    value_range = (-1.0, 1.0)

    def __post_init__(self):
        if self.solver not in SOLVERS:
            raise unknown("solver", self.solver, SOLVERS, "FlowMatching")
        self.check_count("steps", 1, 10_000)
        self.check_share("label_dropout")
        if self.guidance < 0:
            raise zoo.ZooError(f"FlowMatching: guidance is at least 0, not {self.guidance}")

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

    def players(self):
        return {"flow": ("unet",)}

    def moves(self):
        return [self.match]

    def match(self, nets, batch, rng):
        """The squared error of the velocity, summed over an example (equation 23)."""
        n, x_1, labels = ops.shape(batch.x)[0], batch.x, batch.labels
        t = ops.sigmoid(rng.normal((n,))) if self.logit_normal else rng.uniform((n,))
        x_0 = rng.normal(ops.shape(x_1))
        time = ops.reshape(t, (n, *(1 for _ in nets.data.shape)))
        x_t = (1 - (1 - self.sigma_min) * time) * x_0 + time * x_1  # equation 22
        velocity = x_1 - (1 - self.sigma_min) * x_0
        if self.conditional and labels is not None:  # Ho & Salimans, algorithm 1
            hidden = rng.bernoulli((n,), self.label_dropout)
            labels = ops.where(hidden, nets.data.classes, labels)
        found = nets.unet([x_t, t], labels=labels)
        return {"flow": {"velocity": losses.squared_error(velocity, found)}}

    def velocity(self, nets, x, t, labels=None):
        """v(x, t) at one time for all examples, guided (Ho & Salimans, equation 6): like x."""
        t = ops.broadcast_to(t, ops.shape(x)[:1])
        v = nets.unet([x, t], labels=labels)
        if not (self.conditional and self.guidance) or labels is None:
            return v
        without = nets.unet([x, t], labels=ops.full_like(labels, nets.data.classes))
        return (1 + self.guidance) * v - self.guidance * without

    def sample(self, nets, n, rng, labels=None):
        """The end of the path of dx/dt = v(x, t) that starts at noise (equation 1)."""
        h = 1.0 / self.steps

        def step(i, x):
            t = h * ops.cast(i, "float32")
            v = self.velocity(nets, x, t, labels)
            if self.solver == "midpoint":
                v = self.velocity(nets, x + h / 2 * v, t + h / 2, labels)
            elif self.solver == "heun":
                v = (v + self.velocity(nets, x + h * v, t + h, labels)) / 2
            return x + h * v

        return ops.fori_loop(0, self.steps, step, rng.normal((n, *nets.data.shape)))
