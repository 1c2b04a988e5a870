"""Small models for the tests of the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

import zoo


class Toy(zoo.Model):
    """A model put together where it is tested; points, not pictures.

    Args:
        networks: ``{name: function without arguments that makes it}``.
        players, moves, weights: what the methods of these names return.
    """

    value_range = None

    def __init__(self, networks: Mapping[str, Callable], players, moves: Sequence, weights=None):
        self._networks, self._players = networks, players
        self._moves, self._weights = moves, weights or {}

    def networks(self, data):
        return {name: make() for name, make in self._networks.items()}

    def players(self):
        return self._players

    def moves(self):
        return self._moves

    def weights(self):
        return self._weights


def number(w: float, **options: Any) -> Callable:
    """A factory of networks with one weight: w x for x of shape (n, 1)."""

    def make():
        kernel = keras.initializers.Constant(w)
        dense = layers.Dense(1, use_bias=False, kernel_initializer=kernel, **options)
        return keras.Sequential([keras.Input((1,)), dense])

    return make


def dense(*units: int, features: int = 2, activation="tanh", **options: Any) -> Callable:
    """A factory of dense networks with a linear last layer."""

    def make():
        hidden = [layers.Dense(n, activation=activation, **options) for n in units[:-1]]
        return keras.Sequential([keras.Input((features,)), *hidden, layers.Dense(units[-1])])

    return make


def build(model, features: int = 1, *, optimizer=None, seed: int = 0, compile: Any = (), **options):
    """Build and compile for points, each player with SGD(0.1) unless said otherwise."""
    built = zoo.build(model, zoo.DataSpec((features,)), seed=seed, **options)
    make = optimizer or (lambda: keras.optimizers.SGD(0.1))
    built.compile(optimizers={player: make() for player in built.players}, **dict(compile))
    return built


def weight(model, network: str) -> float:
    """The weight of a ``number``."""
    return float(model.networks[network].variables[0].numpy().item())


def weights(model, network: str) -> list[np.ndarray]:
    """Copies of all weights of a network, trainable or not."""
    return [np.array(v.numpy()) for v in model.networks[network].variables]


def same(first: list, second: list) -> bool:
    """Whether two lists of arrays are equal in every bit."""
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def column(*values: float) -> np.ndarray:
    """Examples of one number each, ``(n, 1)``."""
    return np.array(values, "float32")[:, None]


def points(n: int, features: int = 2, seed: int = 0) -> np.ndarray:
    """Normal points, ``(n, features)``."""
    numbers = np.random.RandomState(seed)  # whose numbers no release of NumPy changes
    return numbers.normal(size=(n, features)).astype("float32")


def square(network: str, player: str | None = None) -> Callable:
    """A loss: half the mean square of what the network makes of x."""

    def loss(nets, batch, rng):
        y = getattr(nets, network)(batch.x)
        return {player or network: {"square": ops.mean(0.5 * ops.square(y), axis=1)}}

    return loss


@dataclass(frozen=True)
class Critic(zoo.Model):
    """A Wasserstein GAN with gradient penalty on points: repeats, dropout, batch norm."""

    repeat: int = 2

    value_range = None

    def networks(self, data):
        (features,) = data.shape
        return {
            "critic": keras.Sequential(
                [
                    keras.Input((features,)),
                    layers.Dense(16, activation="tanh"),
                    zoo.nn.layers.Dropout(0.2),
                    layers.Dense(1),
                ]
            ),
            "generator": keras.Sequential(
                [
                    keras.Input((3,)),
                    layers.Dense(16),
                    layers.BatchNormalization(),
                    layers.Activation("tanh"),
                    layers.Dense(features),
                ]
            ),
        }

    def players(self):
        return {"generator": ["generator"], "critic": ["critic"]}

    def moves(self):
        return [zoo.Move(self.criticise, repeat=self.repeat), self.generate]

    def weights(self):
        return {"critic": {"gradient_penalty": 10.0}}

    def criticise(self, nets, batch, rng):
        n = ops.shape(batch.x)[0]
        fake = nets.generator(rng.normal((n, 3)))
        mixed = batch.x + rng.uniform((n, 1)) * (fake - batch.x)
        slope = zoo.gradient(lambda x: nets.critic(x)[:, 0], mixed)
        norm = ops.sqrt(ops.sum(ops.square(slope), axis=1) + 1e-12)
        return {
            "critic": {
                "wasserstein": (nets.critic(fake) - nets.critic(batch.x))[:, 0],
                "gradient_penalty": ops.square(norm - 1.0),
            }
        }

    def generate(self, nets, batch, rng):
        fake = nets.generator(rng.normal((ops.shape(batch.x)[0], 3)))
        return {"generator": {"wasserstein": -nets.critic(fake)[:, 0]}}

    def sample(self, nets, n, rng, labels=None):
        return nets.generator(rng.normal((n, 3)))


@dataclass(frozen=True)
class Trio(zoo.Model):
    """Three players in one move, after VAE-GAN (Larsen et al. 2016)."""

    value_range = None

    def networks(self, data):
        (features,) = data.shape
        return {
            "encoder": dense(8, 4, features=features)(),
            "decoder": dense(8, features, features=2)(),
            "discriminator": dense(8, 1, features=features)(),
        }

    def players(self):
        return {name: [name] for name in ("encoder", "decoder", "discriminator")}

    def moves(self):
        return [self.together]

    def weights(self):
        return {"decoder": {"fool": 0.1}}

    def together(self, nets, batch, rng):
        mean, log_var = ops.split(nets.encoder(batch.x), 2, axis=1)
        z = mean + ops.exp(0.5 * log_var) * rng.normal(ops.shape(mean))
        made = nets.decoder(z)
        reconstruction = ops.sum(ops.square(made - batch.x), axis=1)
        real, fake = nets.discriminator(batch.x), nets.discriminator(made)
        return {
            "encoder": {
                "reconstruction": reconstruction,
                "kl": zoo.nn.losses.kl_standard_normal(mean, log_var),
            },
            "decoder": {"reconstruction": reconstruction, "fool": ops.softplus(-fake)[:, 0]},
            "discriminator": {
                "real": ops.softplus(-real)[:, 0],
                "fake": ops.softplus(fake)[:, 0],
            },
        }
