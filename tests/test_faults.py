"""What can go wrong while a run is trained: told in one message, with nothing lost."""

from __future__ import annotations

import dataclasses
import errno
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

import zoo
from tests.manifests import fields
from tests.resumable import QUIET, STEPS, Few, end, recipe, stopped, train
from tests.small_disk import small_disk
from tests.soak import RECIPE
from zoo import callbacks
from zoo.errors import RunFailed, ZooError
from zoo.runs import folders, locks
from zoo.runs.checkpoints import Store
from zoo.runs.run import Run
from zoo.runtime import files
from zoo.training import failures


@dataclasses.dataclass(frozen=True)
class Fragile(zoo.Model):
    """An autoencoder with a term that is not finite at one step of all."""

    breaks_at: int = 2
    bad: float = math.nan

    def networks(self, data):
        flat = [keras.Input(data.shape), keras.layers.Flatten(), keras.layers.BatchNormalization()]
        dense = keras.layers.Dense(math.prod(data.shape), "sigmoid")
        return {"net": keras.Sequential([*flat, dense, keras.layers.Reshape(data.shape)])}

    def players(self):
        return {"painter": ("net",)}

    def moves(self):
        return [self.paint]

    def weights(self):
        return {"painter": {"fragile": Breaks(self.breaks_at, self.bad)}}

    def paint(self, nets, batch, rng):
        error = ops.mean(ops.square(nets.net(batch.x) - batch.x), axis=(1, 2, 3))
        return {"painter": {"error": error, "fragile": error * 0.1}}


@dataclasses.dataclass(frozen=True)
class Breaks:
    """A weight that is bad at one step."""

    at: int
    bad: float

    def __call__(self, step):
        return ops.where(ops.equal(step, self.at), self.bad, 1.0)


def fragile(**changes):
    settings = {
        "model": Fragile(),
        "dataset": Few(batch_size=16),
        "optimizers": {"painter": "adam"},
        "epochs": 2,
    }
    return zoo.Recipe(**(settings | changes))


def start(folder: Path, *args, **options):
    environment = {**os.environ, "ZOO_RUNS": str(folder / "runs")}
    return subprocess.Popen(
        [sys.executable, "-m", "zoo", *map(str, args)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def until(process, text):
    for line in process.stderr:
        if line.startswith(text):
            return line
    raise AssertionError(f"it never said {text!r}")


@pytest.fixture
def file(tmp_path):
    """A recipe that trains for as long as it is let."""
    path = tmp_path / "long.py"
    path.write_text(RECIPE.replace("EPOCHS", "100000"))
    return path


# --- what is not finite


@pytest.mark.parametrize("bad", [math.nan, pytest.param(math.inf, marks=pytest.mark.once_in_short)])
def test_a_loss_that_is_not_finite_stops_at_its_step(tmp_path, bad):
    begun = []
    step = STEPS + 1
    of = fragile(model=Fragile(step, bad))
    with pytest.raises(RunFailed) as error:
        train(of, tmp_path, begun=begun.append)
    [run] = begun
    message = str(error.value)
    assert "loss is not finite at step 2 of epoch 2" in message
    assert f"last good checkpoint is {run.checkpoints / 'checkpoint-000001'}" in message
    assert run.status == "failed" and Store(run.checkpoints).newest().state["epoch"] == 1
    # with the cause put right, it goes on from there
    mended = fragile(weights={"painter": {"fragile": 1.0}}, model=of.model)
    run = zoo.resume(run, recipe=mended, access=QUIET)
    assert run.status == "finished" and run.read_json("results.json")["epochs"] == 2


def test_the_term_and_player_are_named(tmp_path):
    @dataclasses.dataclass(frozen=True)
    class Logarithm(Fragile):
        def paint(self, nets, batch, rng):
            made = super().paint(nets, batch, rng)
            made["painter"]["fragile"] = ops.log(made["painter"]["error"] * 0.0 - 1.0)
            return made

    with pytest.raises(
        RunFailed, match=r"fragile of player painter \(from .*\) is not finite at step 1 of ep"
    ):
        train(fragile(model=Logarithm()), tmp_path)


def test_a_step_that_is_not_finite_is_skipped(tmp_path):
    """As if it had not been made: weights, slots, statistics and means are those of the others."""
    run = train(fragile(), tmp_path, on_nan="skip")
    assert run.manifest.on_nan == "skip"
    found = end(run)
    assert all(np.isfinite(array).all() for array in found.values())
    assert found["optimizers/painter/000.iteration"] == 2 * STEPS - 1
    assert found["step"] == 2 * STEPS
    rows = run.log.read_text().splitlines()
    assert "skipped" in rows[0]
    column = rows[0].split(",").index("skipped")
    assert [float(row.split(",")[column]) for row in rows[1:]] == [1, 0]


def test_skipping_changes_nothing_where_all_is_finite(tmp_path):
    of = fragile(model=Fragile(10**6))
    plain, skipping = train(of, tmp_path), train(of, tmp_path, on_nan="skip")
    for name, array in end(plain).items():
        np.testing.assert_allclose(end(skipping)[name], array, rtol=1e-6, err_msg=name)


@pytest.mark.once_in_short
def test_a_run_of_which_every_step_is_skipped_stops(tmp_path):
    of = fragile(weights={"painter": {"fragile": math.nan}})
    with pytest.raises(RunFailed, match="every step of epoch 1 was skipped"):
        train(of, tmp_path, on_nan="skip")


# --- signals, processes, pipes


@pytest.mark.once_in_short
def test_sigterm_writes_a_checkpoint_and_ends_with_143(tmp_path, file):
    process = start(tmp_path, "run", file)
    until(process, "epoch 1/")
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 143 and out == "" and "Traceback" not in err
    [run] = folders.all_runs(tmp_path / "runs")
    assert run.status == "interrupted"
    assert f"to go on: zoo resume {run.id}" in err
    state = Store(run.checkpoints).newest().state
    assert state["epoch"] >= 1


@pytest.mark.slow
@pytest.mark.backend_free
def test_one_process_at_a_time_trains_a_run(tmp_path, file):
    """Another one is refused while the first goes on."""
    first = start(tmp_path, "run", file)
    until(first, "epoch 1/")
    [run] = folders.all_runs(tmp_path / "runs")
    second = start(tmp_path, "resume", "latest")
    _, err = second.communicate(timeout=120)
    assert second.returncode == 2
    assert f"is being trained by process {first.pid} on " in err and "Traceback" not in err
    assert run.status == "running"
    first.kill()
    first.communicate()
    assert run.status == "killed"
    with locks.held(run.path):  # which the system has let go of
        pass
    third = start(tmp_path, "resume", "latest")
    assert f"continues after {Store(run.checkpoints).newest().place}" in until(third, "continues")
    third.kill()
    third.communicate()


@pytest.mark.backend_free
@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_a_pipe_that_is_closed_ends_no_training(tmp_path, file):
    file.write_text(RECIPE.replace("EPOCHS", "2"))
    command = f"{sys.executable} -m zoo run {file} --runs {tmp_path / 'runs'} 2>&1 | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=300)
    assert done.stdout.count("\n") == 1 and done.stderr == ""
    [run] = folders.all_runs(tmp_path / "runs")
    assert run.status == "finished" and (run.path / "results.json").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such locks")
@pytest.mark.backend_free
def test_a_lock_that_is_a_link_to_anothers_is_not_followed(tmp_path):
    for name in ("mine", "theirs"):
        (tmp_path / name).mkdir()
    with locks.held(tmp_path / "mine"):
        (tmp_path / "theirs" / locks.FILE).symlink_to(tmp_path / "mine" / locks.FILE)
        assert locks.is_held(tmp_path / "mine")
        assert not locks.is_held(tmp_path / "theirs")


@pytest.mark.backend_free
def test_a_clock_that_jumps_back_makes_no_new_run_an_old_one(tmp_path, monkeypatch):
    """The clock of the process: to set that of the machine takes more than a test may."""
    first = folders.create(tmp_path, "r", **fields())

    class Back(folders.datetime):
        @classmethod
        def now(cls, tz=None):
            return super().now(tz) - folders.timedelta(days=900)

    monkeypatch.setattr(folders, "datetime", Back)
    second = folders.create(tmp_path, "a", **fields())
    monkeypatch.undo()
    third = folders.create(tmp_path, "m", **fields())
    assert [run.path for run in folders.all_runs(tmp_path)] == [third.path, second.path, first.path]


# --- disks and memory


@pytest.mark.once_in_short
def test_a_disk_that_is_full_is_told_and_the_run_goes_on_with_room(tmp_path):
    with small_disk(tmp_path) as (folder, remount):
        begun = []
        of = recipe("vae", callbacks=[callbacks.Checkpoint("1 step", keep=1000)], epochs=50)
        with pytest.raises(RunFailed) as error:
            train(of, folder, begun=begun.append)
        [run] = begun
        assert "No space left on device" in str(error.value)
        assert f"zoo resume {run.id}" in str(error.value)
        good = Store(run.checkpoints).newest()
        assert str(run.checkpoints / good.name) in str(error.value)
        assert run.manifest.recipe == "recipe"  # which is whole
        remount("size=40m")
        short = dataclasses.replace(of, epochs=good.state["epoch"] + 1)
        assert zoo.resume(run, recipe=short, access=QUIET).status == "finished"
        remount("ro")
        with pytest.raises(ZooError, match=r"cannot write .*Read-only file system"):
            zoo.resume(run, recipe=dataclasses.replace(of, epochs=99), access=QUIET)
        with pytest.raises(ZooError, match=r"cannot write .*Read-only file system"):
            train(of, folder)


@pytest.mark.once_in_short
@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "Make room, then"),
        (errno.EDQUOT, "your quota is used up"),
        (errno.EROFS, "mounted for writing"),
        (errno.EACCES, "Allow access there (chmod, chown)"),
        (errno.EPERM, "Allow access there"),
        (errno.EFBIG, "ulimit -f"),
        (errno.EIO, "Look at the disk"),
        (errno.EMFILE, "Allow more open files (ulimit -n)"),
        (errno.ENFILE, "too many files open"),
    ],
)
def test_what_the_machine_lacks_is_told_with_what_to_do_about_it(number, advice):
    run = Run(Path("runs/vae/20260101T000000Z-aaaa"))
    error = OSError(number, os.strerror(number), "events")
    with pytest.raises(RunFailed) as told, failures.explain_resource_errors(run, None):
        raise error
    assert f"events: {error.strerror}" in str(told.value) and advice in str(told.value)
    assert str(told.value).endswith(f"zoo resume {run.id}")
    room = "Make room" in advice or "quota" in advice
    assert ("Make room" in str(told.value)) == room
    elsewhere = files.unwritable("x.png", error)
    assert advice.removesuffix(", then") in str(elsewhere)
    assert isinstance(elsewhere, RunFailed) == room


def test_any_other_error_is_left_as_it_is():
    with (
        pytest.raises(IsADirectoryError),
        failures.explain_resource_errors(Run(Path("runs")), None),
    ):
        raise IsADirectoryError(errno.EISDIR, "is a directory", "x")


@dataclasses.dataclass(frozen=True)
class Huge(Fragile):
    """At its second step it wants more memory than there is."""

    def paint(self, nets, batch, rng):
        made = super().paint(nets, batch, rng)
        if batch.x.shape[0] != 3:  # the rows of the dry run
            row = ops.reshape(ops.stop_gradient(batch.x), (1, -1))
            made["painter"]["fragile"] = ops.max(
                ops.sort(ops.tile(row, (1 << 21, 1 << 11)), axis=0)
            )
        return made


def test_memory_that_runs_out_is_told_with_what_to_try(tmp_path):
    begun = []
    with pytest.raises(RunFailed) as error:
        train(fragile(model=Huge()), tmp_path, begun=begun.append)
    message = str(error.value)
    assert "out of memory on the " in message and "with batches of 16" in message
    assert "dataset.batch_size=8; precision=mixed_bfloat16" in message
    assert f"--from {begun[0].id}" in message and begun[0].status == "failed"


# --- checkpoints


@pytest.mark.once_in_short
def test_a_damaged_checkpoint_is_told_and_the_one_before_taken(tmp_path):
    of = recipe("vae", callbacks=[callbacks.Checkpoint("1 step")])
    whole, run = train(of, tmp_path), stopped(of, tmp_path, 3)
    newest = Store(run.checkpoints).newest()
    arrays = run.checkpoints / newest.name / "arrays.safetensors"
    content = bytearray(arrays.read_bytes())
    content[-50] ^= 1
    arrays.write_bytes(content)
    told = []
    run = zoo.resume(run, recipe=of, access=QUIET, say=told.append)
    assert "is damaged" in told[0] and newest.name in told[0]
    assert "continues after step 2 of epoch 1" in told
    assert all(np.array_equal(a, end(whole)[name]) for name, a in end(run).items())


@pytest.mark.once_in_short
def test_a_run_without_a_good_checkpoint_starts_from_the_beginning(tmp_path):
    of = recipe("vae", callbacks=[callbacks.Checkpoint("epoch")])
    told = []
    run = zoo.resume(stopped(of, tmp_path, 2), recipe=of, access=QUIET, say=told.append)
    assert "no checkpoint: starts from the beginning" in told
    whole = train(of, tmp_path)
    assert all(np.array_equal(a, end(whole)[name]) for name, a in end(run).items())
    assert run.log.read_text() == whole.log.read_text()
