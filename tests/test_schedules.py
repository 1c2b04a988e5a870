"""Schedules of weights: their values, and their place in a recipe."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
from keras import ops

import zoo
from zoo.config import overrides
from zoo.errors import ZooError
from zoo.nn.schedules import Cyclic, WarmUp
from zoo.plugin import serialization


def values(schedule, steps):
    return [float(ops.convert_to_numpy(schedule(ops.cast(step, "int32")))) for step in steps]


def test_a_warm_up_is_a_line_and_then_flat():
    assert values(WarmUp(4), [0, 1, 2, 4, 5, 10**6]) == [0, 0.25, 0.5, 1, 1, 1]
    assert values(WarmUp(2, start=1.0, end=4.0), [0, 1, 2, 3]) == [1, 2.5, 4, 4]
    assert values(WarmUp(1, start=2.0, end=0.0), [0, 1]) == [2, 0]


def test_a_cycle_begins_again():
    expected = [0, 0.25, 0.5, 0.75, 1, 1, 1, 1]
    assert values(Cyclic(8), range(16)) == expected * 2
    assert values(Cyclic(4, ramp=1.0, start=1.0, end=5.0), range(5)) == [1, 2, 3, 4, 1]


def test_a_schedule_takes_a_plain_int():
    assert float(WarmUp(4)(2)) == float(Cyclic(8)(2)) == 0.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WarmUp(0), "WarmUp: steps is an integer, at least 1"),
        (lambda: Cyclic(0), "Cyclic: period is an integer, at least 1"),
        (lambda: Cyclic(8, ramp=0.0), r"Cyclic.ramp is in \(0, 1\], not 0.0"),
        (lambda: Cyclic(8, ramp=1.5), r"Cyclic.ramp is in \(0, 1\], not 1.5"),
    ],
)
def test_what_is_no_schedule_is_refused(make, message):
    with pytest.raises(ZooError, match=message):
        make()


def recipe(schedule):
    return zoo.Recipe(
        zoo.model("vae", latent_dim=2, units=(4,)),
        zoo.datasets.Digits(),
        {"autoencoder": "adam"},
        epochs=1,
        weights={"autoencoder": {"kl": schedule}},
    )


def test_a_manifest_describes_a_recipes_schedule():
    described = json.loads(json.dumps(serialization.plain(recipe(Cyclic(100, ramp=0.25)).weights)))
    assert described["autoencoder"]["kl"] == {
        "class": "Cyclic",
        "period": 100,
        "ramp": 0.25,
        "start": 0.0,
        "end": 1.0,
    }


def test_a_number_takes_its_place_on_the_command_line():
    changed = overrides.override(recipe(WarmUp(10)), ["weights.autoencoder.kl=0.5"])
    assert changed.weights == {"autoencoder": {"kl": 0.5}}


def test_a_weight_follows_its_schedule_in_training():
    found = recipe(WarmUp(2, end=3.0))
    model = zoo.build(found.model, zoo.DataSpec((4, 4, 1)), weights=found.weights)
    model.compile({"autoencoder": keras.optimizers.SGD(0.01)})
    x = np.random.default_rng(0).random((4, 4, 4, 1), "float32")
    for weight in (0.0, 1.5, 3.0, 3.0):
        logs = model.train_on_batch(x, return_dict=True)
        terms = [logs[f"autoencoder/{term}"] for term in ("reconstruction", "kl")]
        assert logs["loss"] == pytest.approx(terms[0] + weight * terms[1], rel=1e-5)


def test_a_model_that_is_saved_whole_keeps_its_schedule(tmp_path):
    weights = {"autoencoder": {"kl": Cyclic(10)}}
    model = zoo.build(zoo.model("vae", units=(4,)), zoo.DataSpec((4, 4, 1)), weights=weights)
    model.save(tmp_path / "vae.keras")
    assert keras.saving.load_model(tmp_path / "vae.keras").given_weights == weights
