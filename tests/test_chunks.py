"""Steps made in one go are the same steps, and whoever has to know of each does."""

from __future__ import annotations

import threading
import time

import keras
import numpy as np
import pytest

import zoo
from tests import resumable
from zoo import callbacks
from zoo.engine.backends import backend
from zoo.engine.model import GenerativeModel
from zoo.runs.run import Run
from zoo.training import chunks, dry_run

STEPS = 16  # an epoch, the last of which is short


def recipe(name="vae", **changes):
    size = 8 if name == "vae" else 16
    data = resumable.Few(size=size, batch_size=4, binarize="dynamic", examples=62)
    return resumable.recipe(name, **{"dataset": data, "callbacks": [], **changes})


class Terms(keras.callbacks.Callback):
    """Takes the terms of each step, and needs no more."""

    async_safe = True

    def __init__(self):
        super().__init__()
        self.told = {}
        self.epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.told[self.epoch, batch] = dict(logs)


class Each(Terms):
    """The same, and might look at the model."""

    async_safe = False


class Looks(callbacks.Callback):
    """Looks at the model after every fifth step, and may break it off at one."""

    every_steps = 5

    def __init__(self, breaks_at=None):
        super().__init__()
        self.breaks_at, self.seen, self.made = breaks_at, [], 0

    def on_train_batch_end(self, batch, logs=None):
        self.made += 1
        if self.made % 5 == 0:
            self.seen.append((self.made, int(self.model.optimizer.iterations)))
        if self.made == self.breaks_at:
            raise resumable.Killed


@pytest.fixture
def lengths(monkeypatch):
    """Steps of the chunks that are made, on a slow machine too."""
    monkeypatch.setattr(chunks, "SECONDS", 10.0)
    found = []
    took = chunks.Chunks.took

    def noted(self, chunk, seconds):
        found.append(chunk.steps)
        took(self, chunk, seconds)

    monkeypatch.setattr(chunks.Chunks, "took", noted)
    return found


def train(folder, *used, name="vae", say=lambda line: None):
    changed = recipe(name, callbacks=list(used))
    return zoo.train(changed, runs_folder=str(folder), access=resumable.QUIET, say=say)


state = resumable.end


def equal(one, other):
    same = [np.array_equal(one[key], other[key], equal_nan=True) for key in one]
    return one.keys() == other.keys() and all(same)


@pytest.mark.parametrize("name", ["vae", pytest.param("dcgan", marks=pytest.mark.once_in_short)])
def test_steps_in_one_go_are_those_made_one_at_a_time(name, tmp_path, lengths):
    said, terms, each = [], Terms(), Each()
    together = train(tmp_path / "a", terms, name=name, say=said.append)
    assert said == []
    assert sum(lengths) == 2 * STEPS
    assert max(lengths) > 2
    lengths.clear()
    alone = train(tmp_path / "b", each, name=name, say=said.append)
    assert set(lengths) <= {1}
    assert equal(state(together), state(alone))
    assert sorted(terms.told) == sorted(each.told)
    assert len(each.told) == 2 * STEPS
    for step, logs in each.told.items():
        assert logs == terms.told[step]
    [line] = said
    assert "one at a time" in line
    assert "Each" in line


def test_a_dry_run_times_the_chunks_that_training_makes(lengths, monkeypatch):
    monkeypatch.setattr(dry_run, "TIMED_SECONDS", 0.5)
    told = dry_run.describe(recipe(), resumable.QUIET).lines[-1]
    assert max(lengths) > 2
    assert f"from {sum(lengths[2:])} training steps" in told


def test_steps_know_the_shape_of_their_batch(tmp_path, monkeypatch):
    found, make_moves = set(), GenerativeModel.make_moves

    def noted(self, data, share=None):
        found.add(tuple(data[0].shape))
        return make_moves(self, data, share)

    monkeypatch.setattr(GenerativeModel, "make_moves", noted)
    train(tmp_path)
    assert found == {(4, 8, 8, 1), (2, 8, 8, 1)}


def test_a_trained_model_goes_on_with_batches_of_anybodys(tmp_path):
    kept = []
    zoo.train(
        recipe(),
        runs_folder=str(tmp_path),
        access=resumable.QUIET,
        say=lambda line: None,
        prepared=lambda experiment: kept.append(experiment.model),
    )
    x = np.zeros((6, *kept[0].data.shape), "uint8")
    history = kept[0].fit(x, batch_size=3, verbose=0).history
    assert np.isfinite(history["loss"][0]) and np.ndim(history["loss"][0]) == 0


def test_a_chunk_ends_where_somebody_looks_at_the_model(tmp_path, lengths):
    looks = Looks()
    run = train(tmp_path, looks, callbacks.SampleGrid(every="8 steps", n=4))
    assert looks.seen == [(n, n) for n in range(5, 2 * STEPS + 1, 5)]
    names = {path.name for path in run.pictures.glob("samples-step-*.png")}
    assert names == {f"samples-step-{n:07d}.png" for n in range(8, 2 * STEPS + 1, 8)}
    assert max(lengths) > 1


@pytest.mark.parametrize("step", [10, 25])  # within the first epoch, and the second
def test_resumed_equals_uninterrupted(tmp_path, step):
    policy = callbacks.Checkpoint("5 steps")
    whole = train(tmp_path / "whole", policy)
    with pytest.raises(resumable.Killed):
        train(tmp_path / "broken", Looks(breaks_at=step + 2), callbacks.Checkpoint("5 steps"))
    [broken] = (tmp_path / "broken").glob("recipe/*")
    again = recipe(callbacks=[callbacks.Checkpoint("5 steps")])
    run = zoo.resume(Run(broken), recipe=again, access=resumable.QUIET)
    assert equal(state(whole), state(run))


@pytest.mark.once_in_short
@pytest.mark.parametrize("at_once", [True, False])
def test_chunks_are_as_long_as_they_should_be_whenever_a_device_works(
    tmp_path, monkeypatch, at_once
):
    """A stand-in takes 4 ms per step, within ``start`` or until its logs are read."""

    class Steps:
        def __init__(self, model, rows, most):
            self.rows, self.terms = rows, len(model.metrics_names)

        def start(self, data, share):
            steps = -(-len(data[0]) // self.rows)
            seconds = 0.004 * steps
            time.sleep(seconds if at_once else 0)

            def read():
                time.sleep(0 if at_once else seconds)
                return np.zeros((steps, self.terms), "float32")

            return read

        def sync(self):
            pass

    found, took = [], chunks.Chunks.took

    def noted(self, chunk, seconds):
        found.append(chunk.steps)
        took(self, chunk, seconds)

    monkeypatch.setattr(chunks.Chunks, "took", noted)
    monkeypatch.setattr(chunks, "SECONDS", 0.04)  # of ten steps
    monkeypatch.setattr(backend, "Steps", Steps)
    data = resumable.Few(size=8, batch_size=4, examples=1200)
    zoo.train(recipe(dataset=data, epochs=1), runs_folder=str(tmp_path), access=resumable.QUIET)
    settled = found[5:-1]
    assert sum(settled) > 200
    assert 2 < np.median(settled) <= 12
    assert sum(steps < 3 for steps in settled) < len(settled) / 4


@pytest.mark.once_in_short
def test_chunks_hold_every_example_once():
    from zoo.datasets import Batches, Split

    batches = Batches(Split(np.zeros((40, 2), "float32")), 3, seed=0)
    parts = chunks.Chunks(batches, [])
    sizes = []
    for chunk in parts.of_epoch(0):
        sizes.append(len(chunk.data[0]))
        parts.took(chunk, 0.001 * chunk.steps)
    assert sum(sizes) == 40
    assert len(sizes) < 14


def test_callbacks_are_told_of_the_steps_of_a_chunk_where_it_was_made(tmp_path):
    class Where(Terms):
        def on_train_batch_end(self, batch, logs=None):
            self.told[self.epoch, batch] = threading.current_thread()

    where = Where()
    train(tmp_path, where)
    assert list(where.told.values()) == 2 * STEPS * [threading.main_thread()]


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="about Keras's PyTorch backend")
def test_modules_of_pytorch_train_again_after_an_evaluation(tmp_path):
    class Mode(Terms):
        def on_train_batch_end(self, batch, logs=None):
            self.told[self.epoch, batch] = self.model.training

    mode = Mode()
    train(tmp_path, mode)
    assert len(mode.told) == 2 * STEPS and all(mode.told.values())


@pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="of the JAX backend, which gives state away"
)
def test_an_interrupt_within_a_chunk_finds_the_weights_there(tmp_path, monkeypatch):
    import jax

    def interrupted(values):
        raise KeyboardInterrupt

    monkeypatch.setattr(jax, "device_get", interrupted)
    kept = []
    with pytest.raises(KeyboardInterrupt):
        zoo.train(
            recipe("dcgan", ema=0.9),
            runs_folder=str(tmp_path),
            access=resumable.QUIET,
            say=lambda line: None,
            prepared=lambda experiment: kept.append(experiment.model),
        )
    assert all(np.isfinite(value).all() for value in kept[0].get_weights())
