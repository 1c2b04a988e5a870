"""A training that is stopped and resumed is the training that was never stopped."""

from __future__ import annotations

import csv
import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import zoo
from tests.resumable import QUIET, STEPS, Few, end, recipe, stopped, train
from zoo import callbacks, datasets
from zoo.errors import ZooError
from zoo.runs.checkpoints import Store
from zoo.runtime import backends


def resume(run, of, **options):
    return zoo.resume(run, recipe=of, access=QUIET, **options)


def scalars(run, part=""):
    events = EventAccumulator(str(run.events / part))
    events.Reload()
    found = {}
    for tag in events.Tags()["scalars"]:
        if not tag.startswith("speed"):
            found[tag] = [(event.step, event.value) for event in events.Scalars(tag)]
    return found


def table(run):
    with run.log.open() as file:
        return list(csv.reader(file))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The runs that were never stopped, made when asked for."""
    made = {}

    def of(name):
        if name not in made:
            made[name] = train(recipe(name), tmp_path_factory.mktemp(name))
        return made[name]

    return of


@pytest.mark.parametrize(
    ("name", "step"),
    [
        pytest.param("vae", 1, marks=pytest.mark.once_in_short),
        ("vae", STEPS),  # on each backend: they swap averages in and out each in their way
        ("vae", STEPS + 2),
        ("dcgan", STEPS + 2),
        pytest.param("wgan_gp", STEPS + 2, marks=pytest.mark.slow),
        pytest.param("vaegan", STEPS + 2, marks=pytest.mark.once_in_short),
    ],
)
def test_resumed_equals_uninterrupted(tmp_path, whole, name, step):
    run = resume(stopped(recipe(name), tmp_path, step), recipe(name))
    expected, found = end(whole(name)), end(run)
    assert found.keys() == expected.keys()
    assert [n for n in found if not np.array_equal(found[n], expected[n], equal_nan=True)] == []
    assert table(run) == table(whole(name))
    assert scalars(run) == scalars(whole(name))
    results = [r.read_json("results.json") for r in (run, whole(name))]
    for part in ("train", "validation", "test", "epochs"):
        assert results[0][part] == results[1][part]
    assert run.status == "finished" and run.manifest.resumed == []


# --- on another backend

OTHER = """
import os, sys
from pathlib import Path
import zoo
from tests.resumable import QUIET, recipe
from tests.test_resume import LONG
from zoo.runs.run import Run

run = zoo.resume(Run(Path(sys.argv[1])), recipe=recipe("vae", **LONG), access=QUIET)
assert run.manifest.backend == os.environ["KERAS_BACKEND"]
assert run.manifest.resumed[0].startswith("after epoch 6: backend: ")
"""

LONG = {
    "dataset": Few(size=8, batch_size=64, binarize="dynamic"),
    "epochs": 26,
    "callbacks": [callbacks.Checkpoint("1 step")],
}
"""An epoch is one step: each step's losses are in the table."""


@pytest.mark.once_in_short
def test_another_backend_goes_on_with_the_same_losses(tmp_path):
    others = [name for name in backends.installed() if name != keras.backend.backend()]
    if not others:
        pytest.skip("needs two backends")
    whole = train(recipe("vae", **LONG), tmp_path)
    run = stopped(recipe("vae", **LONG), tmp_path, 6)
    command = [sys.executable, "-c", OTHER, run.path]
    environment = {**os.environ, "KERAS_BACKEND": others[0]}
    folder = Path(__file__).parents[1]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows, expected = table(run), table(whole)
    assert rows[0] == expected[0] and len(rows) == len(expected) == 27
    assert rows[:7] == expected[:7]
    for row, other in zip(rows[7:], expected[7:], strict=True):  # 20 steps
        np.testing.assert_allclose(np.array(row, float), np.array(other, float), rtol=1e-4)


# --- further, and otherwise


@pytest.mark.once_in_short
def test_a_finished_run_goes_on_for_longer(tmp_path, whole):
    run = train(recipe("vae", epochs=1), tmp_path)
    with pytest.raises(ZooError, match=r"is finished, after 1 epochs\..*epochs=2"):
        resume(run, recipe("vae", epochs=1))
    run = resume(run, recipe("vae", epochs=1), changes=["epochs=2"])
    assert run.manifest.epochs == 2 and run.manifest.changes == ["epochs=2"]
    assert run.manifest.resumed == []
    assert table(run) == table(whole("vae")) and scalars(run) == scalars(whole("vae"))
    assert all(np.array_equal(a, end(whole("vae"))[name]) for name, a in end(run).items())
    with pytest.raises(ZooError, match="epochs has to be more"):
        resume(run, recipe("vae", epochs=2), changes=["epochs=1"])


@pytest.mark.once_in_short
@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        (
            {"model": zoo.model("vae", latent_dim=3, units=(8,))},
            "model.latent_dim: 2 before, 3 now",
        ),
        ({"dataset": Few(size=8, batch_size=8)}, "dataset.batch_size: 17 before, 8 now"),
        ({"seed": 1}, "seed: 0 before, 1 now"),
        ({"ema": None}, "ema: 0.9 before, None now"),
        ({"optimizers": {"autoencoder": "sgd"}}, "autoencoder: Adam before, SGD now"),
    ],
)
def test_a_change_of_its_meaning_is_refused(tmp_path, whole, changes, difference):
    run = whole("vae")
    with pytest.raises(ZooError) as error:
        resume(run, recipe("vae", **{"epochs": 3, **changes}))
    assert difference in str(error.value)
    assert f"zoo run RECIPE --from {run.id}" in str(error.value)
    assert run.status == "finished"


@pytest.mark.once_in_short
def test_other_examples_behind_the_same_settings_are_refused(tmp_path, whole, monkeypatch):
    run, load = whole("vae"), Few.load

    def one_pixel_changed(self, access=QUIET):
        data = load(self, access)
        x = data.train.x.copy()
        x[5, 0, 0, 0] += 1
        train = dataclasses.replace(data.train, x=x)
        return datasets.Data("digits", data.spec, train, data.validation, data.test)

    monkeypatch.setattr(Few, "load", one_pixel_changed)
    with pytest.raises(
        ZooError, match=r"the examples themselves \(SHA-256\): \w{8} before, \w{8} now"
    ):
        resume(run, recipe("vae", epochs=3))
    assert run.status == "finished"


@pytest.mark.once_in_short
def test_another_learning_rate_is_taken(tmp_path):
    steady = recipe("vae", epochs=1, callbacks=[callbacks.TensorBoard()])
    changes = ["epochs=2", "optimizers.autoencoder.learning_rate=0.5"]
    run = resume(train(steady, tmp_path), steady, changes=changes)
    assert end(run)["optimizers/autoencoder/learning_rate"] == 0.5
    rates = [value for _, value in scalars(run)["learning_rate/autoencoder"]]
    assert rates == pytest.approx([1e-3] * STEPS + [0.5] * STEPS)
    [words] = run.manifest.resumed
    assert words.startswith("after epoch 1: ") and "learning_rate" in words
    assert "devices" not in words and "on_nan" not in words


@pytest.mark.once_in_short
def test_a_new_run_starts_from_weights(tmp_path, whole):
    said = []
    old = whole("vae")
    model = zoo.model("vae", latent_dim=2, units=(8,))
    still = recipe("vae", model=model, epochs=1, seed=5, ema=None, weights={}, callbacks=[])
    still = dataclasses.replace(still, optimizers={"autoencoder": keras.optimizers.SGD(0.0)})
    run = train(still, tmp_path, weights_from=old, say=said.append)
    assert said == [f"weights of encoder, decoder from {old.name}"]
    assert run.manifest.weights_from == old.name
    pictures = np.zeros((1, 8, 8, 1), "uint8")
    np.testing.assert_array_equal(
        zoo.load(run).reconstruct(pictures), zoo.load(old).reconstruct(pictures)
    )
    other = recipe("vae", model=zoo.model("vae", latent_dim=3, units=(8,)))
    with pytest.raises(ZooError, match=r"no network of it fits: encoder \(\(8, 2\) there"):
        train(other, tmp_path, weights_from=old)


# --- what is kept and told


@pytest.mark.once_in_short
def test_the_best_epoch_is_kept_whole(tmp_path):
    worse = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.01 if epoch < 2 else -0.01)
    keep = callbacks.Checkpoint(every="100 steps", best="val_loss")
    run = train(recipe("vae", epochs=4, ema=None, callbacks=[worse, keep], weights={}), tmp_path)
    newest = Store(run.checkpoints).newest().state
    assert newest["epoch"] == 4
    rows = table(run)
    losses = [float(row[rows[0].index("val_loss")]) for row in rows[1:]]
    best = Store(run.checkpoints).read(newest["best"]["name"])
    assert best.state["epoch"] == losses.index(min(losses)) + 1
    assert newest["best"]["value"] == pytest.approx(min(losses))
    assert zoo.load(run, which="best").sample(1).shape == (1, 8, 8, 1)


@pytest.mark.once_in_short
def test_a_callback_whose_state_is_lost_is_named(tmp_path):
    class Remembers(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.seen = object()

    class Tells(keras.callbacks.Callback):
        steps = 0

        def on_train_batch_end(self, batch, logs=None):
            self.steps += 1

        def get_state(self):
            return {"steps": self.steps}

        def set_state(self, state):
            self.steps = state["steps"]

    said = []
    mine = [Remembers(), Tells(), callbacks.Checkpoint("1 step")]
    run = stopped(recipe("vae", callbacks=mine), tmp_path, 3)
    tells = Tells()
    again = recipe("vae", callbacks=[Remembers(), tells, callbacks.Checkpoint("1 step")])
    resume(run, again, say=said.append)
    [line] = [line for line in said if line.startswith("callback")]
    assert line.startswith("callback Remembers: ") and "seen" in line
    assert tells.steps == 2 * STEPS


@pytest.mark.once_in_short
@pytest.mark.parametrize("every", ["", "0 steps", "2.5 steps", "5 parsecs", "-1 minute"])
def test_what_is_no_interval_is_refused(every):
    with pytest.raises(ZooError, match="every is a number of epochs, 'epoch', '500 st"):
        callbacks.Checkpoint(every)
