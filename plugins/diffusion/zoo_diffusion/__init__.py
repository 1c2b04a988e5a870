"""Flow matching (Lipman et al. 2023) for pictures, with guidance by labels."""

from __future__ import annotations

from dataclasses import dataclass

from keras import ops

from zoo.errors import unknown
from zoo.nn import losses
from zoo_diffusion.guided import Guided

SOLVERS = ("heun", "euler")


@dataclass(frozen=True)
class FlowMatching(Guided):
    """Flow matching along straight lines from noise to pictures (section 4.1, example II).

    The U-Net is the velocity v(x, t) of a flow that takes N(0, I) at time 0 to the pictures at
    time 1. A sample is the end of a path that starts at noise (equation 1), by a solver of
    ``steps`` steps.

    Attributes:
        sigma_min: deviation of the noise that is left at time 1.
        solver: ``"heun"``, of second order, which asks for two velocities a step (Karras et al.
            2022, algorithm 1), or ``"euler"``, of first order, which asks for one.
        logit_normal: whether times in training are sigmoids of normal numbers, which favours the
            middle (Esser et al. 2024, section 3.1), rather than uniform in (0, 1) as in the paper.
    """

    sigma_min: float = 1e-4
    solver: str = "heun"
    logit_normal: bool = False

    def __post_init__(self):
        super().__post_init__()
        if self.solver not in SOLVERS:
            raise unknown("solver", self.solver, SOLVERS, type(self).__name__)

    def players(self):
        return {"flow": ("unet",)}

    def moves(self):
        return [self.match]

    def match(self, nets, batch, rng):
        """The squared error of the velocity, summed over an example (equation 23)."""
        n, x_1 = ops.shape(batch.x)[0], batch.x
        t = ops.sigmoid(rng.normal((n,))) if self.logit_normal else rng.uniform((n,))
        x_0 = rng.normal(ops.shape(x_1))
        at = ops.reshape(t, (n, *(1 for _ in nets.data.shape)))
        x_t = (1 - (1 - self.sigma_min) * at) * x_0 + at * x_1  # equation 22
        velocity = x_1 - (1 - self.sigma_min) * x_0
        found = nets.unet([x_t, t], labels=self.shown(nets, batch.labels, rng))
        return {"flow": {"velocity": losses.squared_error(velocity, found)}}

    def sample(self, nets, n, rng, labels=None):
        """Where the flow takes noise (equation 1)."""
        h = 1.0 / self.steps

        def step(i, x):
            t = h * ops.cast(i, "float32")
            v = self.predict(nets, x, t, labels)
            if self.solver == "heun":
                v = (v + self.predict(nets, x + h * v, t + h, labels)) / 2
            return x + h * v

        return ops.fori_loop(0, self.steps, step, rng.normal((n, *nets.data.shape)))
