"""What is trained: models, sizes and data. No backend is imported here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

SHAPE = (28, 28, 1)

VARIANTS = ("zoo", "keras", "hand", "pythae")
"""Who trains: a zoo recipe, ``keras.Model.fit``, code for one backend, a library on PyTorch."""

BETA_1 = {"vae": 0.9, "flow_matching": 0.9}  # of Adam; 0.5 for all that plays a game
RATES = {"vae": 1e-3, "flow_matching": 1e-3}  # of Adam; else 2e-4


@dataclass(frozen=True)
class Case:
    """A model on a number of pictures.

    Attributes:
        title: as tables name it.
        model: the zoo's name of the model.
        settings: of the model.
        steps: of an epoch.
        batch_size: pictures a move.
        repeats: moves of the first player a step, each on a batch of its own.
        variants: who can train it.
    """

    title: str
    model: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    steps: int = 8
    batch_size: int = 128
    repeats: int = 1
    variants: tuple[str, ...] = ("zoo",)

    @property
    def pictures(self) -> int:
        """Of an epoch."""
        return self.steps * self.batch_size * self.repeats

    @property
    def rate(self) -> float:
        """Adam's learning rate."""
        return RATES.get(self.model, 2e-4)

    @property
    def beta_1(self) -> float:
        """Adam's decay of means."""
        return BETA_1.get(self.model, 0.5)


def _normal(dimension):
    """A prior, as a manifest has it: its class would import Keras."""
    return {"class": "StandardNormal", "dimension": dimension}


CASES = {
    "A": Case(
        "dense VAE 784-512-256-z16",
        "vae",
        {"latent_dim": 16, "units": (512, 256)},
        steps=200,
        variants=VARIANTS,
    ),
    "B": Case(
        "convolutional VAE 32-64",
        "vae",
        {"latent_dim": 16, "convolutional": True, "filters": (32, 64)},
        steps=96,
        variants=VARIANTS,
    ),
    "C": Case(
        "DCGAN 128-64",
        "dcgan",
        {"prior": _normal(100), "filters": 64, "kernel": 4},
        steps=16,
        variants=("zoo", "keras", "hand"),
    ),
    "VAE-GAN": Case(
        "VAE-GAN 32-64",
        "vaegan",
        {"latent_dim": 16, "filters": 32},
        steps=8,
        variants=("zoo", "hand"),
    ),
    "WGAN-GP": Case(
        "WGAN-GP 32-64, critic 5 times",
        "wgan_gp",
        {"prior": _normal(64), "filters": 32, "repeats": 5},
        steps=2,
        repeats=5,
        variants=("zoo", "hand"),
    ),
    "flow": Case(
        "flow matching, U-Net 32-64",
        "flow_matching",
        {"filters": (32, 64), "units": 128, "hidden": 256, "logit_normal": True},
        steps=16,
        batch_size=64,
        variants=("zoo", "hand"),
    ),
}

SCALING: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
    "data": [(f"{steps * 128:,} pictures", "A", {"steps": steps}) for steps in (80, 800, 4800)],
    "batch": [
        (f"batches of {size}", "A", {"batch_size": size, "steps": 25600 // size})
        for size in (32, 128, 512)
    ],
    "model": [
        (f"{units[0]} and {units[1]} units", "A", {"settings": settings, "steps": steps})
        for units, steps in (((128, 64), 400), ((512, 256), 200), ((2048, 1024), 20))
        for settings in [{"latent_dim": 16, "units": units}]
    ],
}
"""``{what grows: [(in words, case, what is changed of it)]}``"""

SMOKE = {
    "A": {"settings": {"latent_dim": 2, "units": (8,)}, "steps": 2, "batch_size": 8},
    "B": {
        "settings": {"latent_dim": 2, "convolutional": True, "filters": (2, 2)},
        "steps": 2,
        "batch_size": 4,
    },
    "C": {
        "settings": {"prior": _normal(2), "filters": 2, "kernel": 4},
        "steps": 2,
        "batch_size": 4,
    },
    "VAE-GAN": {
        "settings": {"latent_dim": 2, "filters": 2, "units": (4,)},
        "steps": 2,
        "batch_size": 4,
    },
    "WGAN-GP": {
        "settings": {"prior": _normal(2), "filters": 2, "units": (4,), "repeats": 2},
        "steps": 2,
        "batch_size": 4,
        "repeats": 2,
    },
    "flow": {
        "settings": {"filters": (2, 4), "units": 4, "hidden": 4, "logit_normal": True},
        "steps": 2,
        "batch_size": 4,
    },
}
"""What makes a case tiny, for a look at whether it runs."""


def case(name: str, changes: Mapping[str, Any] = {}) -> Case:
    """A case of ``CASES``, changed."""
    return replace(CASES[name], **changes)


def model(case: Case):
    """The zoo's model, whose ``networks`` all variants share."""
    import zoo

    return zoo.model(case.model, **case.settings)


def networks(case: Case):
    """Its Keras networks, by name."""
    import zoo

    return model(case).networks(zoo.DataSpec(SHAPE))


def pictures(n: int):
    """uint8 ``(n, *SHAPE)``: noise, as no time depends on what is on them."""
    import numpy as np

    return np.random.default_rng(0).integers(0, 256, (n, *SHAPE), dtype=np.uint8)
