"""A run's folder is removed or moved while it is trained: told once, and no hollow run is left."""

from __future__ import annotations

import shutil

import keras
import pytest

import zoo
from tests.resumable import recipe, train
from zoo import callbacks
from zoo.errors import RunFailed

pytestmark = pytest.mark.once_in_short


class Takes(keras.callbacks.Callback):
    """Does something to the run's folder, at a step of an epoch or when training ends."""

    async_safe = True

    def __init__(self, act, at):
        super().__init__()
        self.act, self.at, self.folder = act, at, None

    def on_train_batch_end(self, batch, logs=None):
        if self.at == "step" and batch == 2 and self.folder:
            self.act(self.folder)
            self.folder = None

    def on_train_end(self, logs=None):
        if self.at == "end" and self.folder:
            self.act(self.folder)


def moved(folder):
    folder.rename(folder.with_name("moved"))


def without_manifest(folder):
    (folder / "run.json").unlink()


def replaced(folder):
    shutil.rmtree(folder)
    folder.mkdir()


def a_file(folder):
    shutil.rmtree(folder)
    folder.write_text("x")


def the_root(folder):
    shutil.rmtree(folder.parents[1])


def begun(tmp_path, act, at, *more):
    """The folder of a training that lost it, and what was told."""
    takes, runs = Takes(act, at), []
    experiment = recipe("vae", callbacks=[takes, callbacks.Checkpoint(every=1), *more], epochs=2)

    def begin(run):
        runs.append(run)
        takes.folder = run.path

    with pytest.raises(RunFailed) as told:
        train(experiment, tmp_path / "runs", begun=begin)
    return runs[0], str(told.value)


@pytest.mark.parametrize(
    ("act", "at"),
    [
        (shutil.rmtree, "step"),
        (shutil.rmtree, "end"),
        (the_root, "step"),
        (moved, "step"),
        (without_manifest, "end"),
        (replaced, "step"),
        (a_file, "step"),
    ],
)
def test_a_folder_that_is_gone_is_told_once(tmp_path, act, at):
    more = [callbacks.SampleGrid(), callbacks.TensorBoard()] if at == "step" else []
    run, told = begun(tmp_path, act, at, *more)
    assert f"{run.path} was removed or moved while it was trained" in told
    assert f"zoo resume {run.id}" in told
    assert run.is_gone
    if act in (shutil.rmtree, moved, the_root):
        assert not run.path.exists()


def test_a_run_that_was_moved_goes_on_when_it_is_moved_back(tmp_path):
    run, _ = begun(tmp_path, moved, "step")
    run.path.with_name("moved").rename(run.path)
    experiment = recipe("vae", callbacks=[callbacks.Checkpoint(every=1)], epochs=2)
    assert zoo.resume(run, recipe=experiment).status == "finished"
