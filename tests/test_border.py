"""What a plugin does wrong is told at once: plugin, method, what came, what is accepted."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

import keras
import numpy as np
import pytest
from keras import layers, ops

import zoo
from zoo import datasets
from zoo.datasets import Access
from zoo.errors import RunFailed, ZooError

HERE = keras.backend.backend()
FOREIGN = "torch" if HERE != "torch" else "jax"


@dataclass(frozen=True)
class Odd(zoo.Model):
    """A model that does one thing wrong, by name."""

    fault: str = ""

    def networks(self, data):
        size = int(np.prod(data.shape))
        flat = [keras.Input(data.shape), layers.Flatten(), layers.Dense(size)]
        return {"net": keras.Sequential([*flat, layers.Reshape(data.shape)])}

    def players(self):
        return {"player": ("nett",) if self.fault == "network" else ("net",)}

    def moves(self):
        return [self.learn]

    def learn(self, nets, batch, rng):
        error = ops.mean(ops.square(nets.net(batch.x) - batch.x), axis=(1, 2, 3))
        if self.fault == "scalar":
            return ops.mean(error)
        if self.fault == "tuple":
            return error, error
        if self.fault == "nan":
            error = error + ops.log(ops.zeros_like(error) - 1.0)
        if self.fault == "mismatch":
            error = error + ops.ones((2, 7))
        if self.fault == "column":
            error = error[:, None]
        if self.fault == "call":
            other = importlib.import_module(FOREIGN)
            made = other.nn.relu(object()) if FOREIGN == "jax" else other.relu(batch.x)
            error = error + made
        if self.fault == "tensor":
            other = importlib.import_module(FOREIGN)
            make = importlib.import_module("jax.numpy").ones if FOREIGN == "jax" else other.ones
            error = make(3)
        return {"player": {"error": error}}

    def sample(self, nets, n, rng, labels=None):
        x = nets.net(rng.uniform((n, 8, 8, 1)))
        return ops.reshape(x, (n, -1)) if self.fault == "sample" else x

    def reconstruct(self, nets, x, labels=None):
        if self.fault == "pair":
            return nets.net(x), x
        if self.fault == "ability":
            return nets.net(x) + 1 / 0
        return nets.net(x)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("scalar", r"^Odd\.learn returned .*; a loss returns \{player: \{term: value\}\}"),
        ("tuple", r"^Odd\.learn returned tuple; a loss returns \{player: \{term: value\}\}"),
        ("network", r"^Odd\.players\(\), player 'player': unknown network 'nett'; did you mean"),
        ("mismatch", r"^Odd\.learn raised .*\(test_border\.py, line \d+\)"),
        ("column", r"^Odd\.learn: term 'error' of 'player' is a scalar or one value an example"),
        ("call", rf"^Odd\.learn raised .*: it calls {FOREIGN}, and this is {HERE}; keras\.ops"),
        ("tensor", rf"^Odd\.learn: term 'error' of 'player' came as a tensor of {FOREIGN}"),
    ],
)
def test_building_refuses(fault, said):
    with pytest.raises(ZooError, match=said):
        zoo.build(Odd(fault), zoo.DataSpec((8, 8, 1)))


@pytest.mark.parametrize(
    ("fault", "ability", "said"),
    [
        ("sample", "sample", r"^Odd\.sample gave shape \(4, 64\).* a tensor \(4, 8, 8, 1\)"),
        ("pair", "reconstruct", r"^Odd\.reconstruct gave tuple; for 4 examples it gives a tensor"),
        ("ability", "reconstruct", r"^Odd\.reconstruct raised ZeroDivisionError: division by zero"),
        ("", "encode", r"^Odd cannot encode; it can: sample, reconstruct$"),
    ],
)
def test_using_an_ability_refuses(fault, ability, said):
    model = zoo.build(Odd(fault), zoo.DataSpec((8, 8, 1)))
    pictures = np.zeros((4, 8, 8, 1), "uint8")
    with pytest.raises(ZooError, match=said):
        getattr(model, ability)(4 if ability == "sample" else pictures)


def test_a_run_whose_term_is_nan_names_the_method(tmp_path):
    recipe = zoo.Recipe(
        model=Odd("nan"),
        dataset=datasets.Digits(batch_size=512),
        optimizers={"player": "sgd"},
        epochs=1,
    )
    with pytest.raises(
        RunFailed, match=r"error of player player \(from Odd\.learn\) is not.* no check"
    ):
        zoo.train(recipe, runs_folder=str(tmp_path), access=Access(say=lambda line: None))
