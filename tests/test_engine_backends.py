"""The first ten steps of a few models, as numbers: one seed is one experiment anywhere."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import zoo
from tests.models import Critic, Trio, points

MODELS = {
    "critic": lambda: (Critic(), zoo.DataSpec((2,)), points(80)),
    "trio": lambda: (Trio(), zoo.DataSpec((2,)), points(80)),
    "vae": lambda: (
        zoo.model("vae", latent_dim=2, units=(8,)),
        zoo.DataSpec((8, 8, 1)),
        (np.arange(80 * 64).reshape(80, 8, 8, 1) * 7 % 256).astype("uint8"),
    ),
}
# running means of the loss after each step, then the loss of an evaluation
EXPECTED = {
    "critic": [
        6.0455942,
        5.4787769,
        5.1484389,
        4.9950728,
        5.0170169,
        4.8423796,
        4.811583,
        4.7161021,
        4.6116819,
        4.6755452,
        5.1011195,
    ],
    "trio": [
        8.046608,
        8.6389484,
        9.0078163,
        8.0624294,
        7.2949219,
        7.2016711,
        7.7076106,
        7.7578068,
        7.3965955,
        7.5501099,
        7.6924686,
    ],
    "vae": [
        45.351776,
        45.406242,
        45.476383,
        45.397049,
        45.337757,
        45.36874,
        45.300426,
        45.232925,
        45.214291,
        45.156158,
        44.977859,
    ],
}


def ten_steps(name):
    model, data, x = MODELS[name]()
    built = zoo.build(model, data, seed=1)
    built.compile({player: keras.optimizers.Adam(1e-3) for player in built.players}, ema=0.9)
    losses = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: losses.append(logs["loss"])
    )
    built.fit(x, batch_size=8, shuffle=False, verbose=0, callbacks=[watch])
    return [*losses, built.evaluate(x[:30], verbose=0)[0]]


@pytest.mark.parametrize("name", MODELS)
def test_ten_steps_and_an_evaluation(name):
    np.testing.assert_allclose(ten_steps(name), EXPECTED[name], rtol=1e-5, atol=1e-6)
