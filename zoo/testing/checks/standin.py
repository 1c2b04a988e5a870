"""A small model with every ability, which metrics are checked on."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np
from keras import layers, ops

from zoo.datasets import Data, Digits, Ring, Sprites
from zoo.engine.model import build
from zoo.nn import distributions
from zoo.plugin.model import DataSpec, Model

if TYPE_CHECKING:
    from zoo.engine.model import GenerativeModel

SOME = 64  # examples of each split


@dataclass(frozen=True)
class Small(Model):
    """A linear autoencoder of sigmoid pixels, with a softmax of its codes.

    Attributes:
        latent_dim: dimension of the codes.
    """

    latent_dim: int = 2

    def networks(self, data):
        size = int(np.prod(data.shape))
        return {
            "encoder": keras.Sequential(
                [keras.Input(data.shape), layers.Flatten(), layers.Dense(self.latent_dim)]
            ),
            "decoder": keras.Sequential(
                [
                    keras.Input((self.latent_dim,)),
                    layers.Dense(size, "sigmoid" if data.is_image else None),
                    layers.Reshape(data.shape),
                ]
            ),
            "classifier": keras.Sequential(
                [keras.Input((self.latent_dim,)), layers.Dense(max(data.classes, 2), "softmax")]
            ),
        }

    def players(self):
        return {"autoencoder": ("encoder", "decoder"), "classifier": ("classifier",)}

    def moves(self):
        return [self.learn]

    def learn(self, nets, batch, rng):
        """The squared error, and the negative logarithm of the first class's probability."""
        z = nets.encoder(batch.x)
        error = ops.square(nets.decoder(z + 0.1 * rng.normal(ops.shape(z))) - batch.x)
        return {
            "autoencoder": {"error": ops.mean(ops.reshape(error, (ops.shape(error)[0], -1)), 1)},
            "classifier": {"surprise": -ops.log(nets.classifier(ops.stop_gradient(z))[:, 0])},
        }

    def latent(self, nets):
        return distributions.StandardNormal(self.latent_dim)

    def encode(self, nets, x):
        return nets.encoder(x)

    def posterior(self, nets, x):
        """Of variance 1/100, as the noise of the loss has it."""
        mean = nets.encoder(x)
        return distributions.Normal(mean, ops.full_like(mean, math.log(0.01)))

    def decode(self, nets, z):
        return nets.decoder(z)

    def log_likelihood(self, nets, x, rng, samples=1):
        return -ops.mean(ops.square(nets.encoder(x)), axis=1)

    def classify(self, nets, x):
        return nets.classifier(nets.encoder(x))


def data() -> Iterator[Data]:
    """A few examples each of pictures, points of known modes, and pictures of known factors."""
    known = Sprites(size=16, n=SOME, held_out=SOME)
    for dataset in (Digits(), Ring(n=SOME, held_out=SOME), known):
        loaded = dataset.load()
        few = {part: getattr(loaded, part).first(SOME) for part in ("train", "validation", "test")}
        yield dataclasses.replace(loaded, **few)


def model(spec: DataSpec) -> GenerativeModel:
    """The model for such data, untrained."""
    return build(Small(), spec)
