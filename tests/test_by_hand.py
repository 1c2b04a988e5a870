"""Hand-written baselines of the benchmark compute what the zoo computes."""

from __future__ import annotations

import importlib

import keras
import numpy as np
import pytest

import zoo
from benchmarks import cases
from benchmarks.by_hand import noise
from zoo.random import Generator

STEPS = 2
BACKEND = keras.backend.backend()


def built(case):
    """The zoo's model, with the same weights at each call."""
    return zoo.build(cases.model(case), zoo.DataSpec(cases.SHAPE), seed=0)


def by_the_zoo(case, batches):
    """The loss of each player at each step."""
    model = built(case)
    adam = {p: keras.optimizers.Adam(case.rate, beta_1=case.beta_1) for p in model.players}
    model.compile(optimizers=adam)
    names = [f"{player}/loss" for player in adam] if len(adam) > 1 else ["loss"]
    losses = []
    for x in batches:
        model.reset_metrics()
        logs = model.train_on_batch(x, return_dict=True)
        losses.append([float(logs[name]) for name in names])
    return losses


def by_hand(case, batches):
    """The same, by hand, from the weights and with the noise that the zoo has."""
    step = stepper(case, dict(built(case).networks.items()))
    losses = []
    for i, x in enumerate(map(keras.ops.convert_to_tensor, batches)):
        rng = Generator(0, "train", i)
        drawn = [getattr(rng, kind)(shape) for kind, shape in noise.draws(case)]
        losses.append([float(loss) for loss in step(x, drawn)])
    return losses


def stepper(case, nets):
    """The baseline's step; on JAX it is handed its state, which is kept here."""
    made = importlib.import_module(f"benchmarks.by_hand.{BACKEND}").training(case, nets)
    if BACKEND != "jax":
        return made
    import jax

    state, step = made[0], jax.jit(made[1])

    def stateful(x, drawn):
        nonlocal state
        state, losses = step(state, x, drawn)
        return losses

    return stateful


@pytest.mark.parametrize("name", cases.CASES)
def test_losses_of_the_first_steps_are_those_of_the_zoo(name, monkeypatch):
    monkeypatch.setattr(cases.Case, "rate", 1e-3)  # losses then depend on the steps before
    case = cases.case(name, cases.SMOKE[name])
    dark = cases.pictures(STEPS * case.batch_size * case.repeats) // 4  # there is more to learn
    batches = np.split(dark, STEPS)
    zoos = by_the_zoo(case, batches)
    hands = by_hand(case, batches)
    np.testing.assert_allclose(hands[0][0], zoos[0][0], rtol=1e-5)
    np.testing.assert_allclose(hands, zoos, rtol=2e-3)
