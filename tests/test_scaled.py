"""Several processes that train one model: the numbers of one, and what becomes of faults."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tests import sweeps
from tests.crews import Command, assert_all_end, assert_same, end
from tests.replicas import are_equal, made
from tests.resumable import QUIET, recipe
from zoo.cli import main
from zoo.datasets import Batches
from zoo.engine import distributed, state, step
from zoo.engine.backends import backend
from zoo.errors import ZooError
from zoo.plugin.dataset import Split
from zoo.random import Generator, Share
from zoo.runtime import ranks
from zoo.training.chunks import Chunk, Chunks
from zoo.training.experiment import prepare

BACKEND = keras.backend.backend()

TOGETHER = ["run", "small.py", "--devices", "2"]
if BACKEND == "jax":  # where --devices are of one process
    TOGETHER = ["launch", "small.py", "--processes", "2"]


def command(folder: Path, *args: str) -> Command:
    return Command(folder, BACKEND, *args)


# --- shares


@pytest.mark.backend_free
@pytest.mark.parametrize("settings", [{}, {"shuffle": True, "repeats": 3}, {"binarize": True}])
def test_shares_of_a_batch_are_the_batch(settings):
    x = np.random.default_rng(0).integers(0, 256, (103, 5, 5, 1)).astype("uint8")
    batches = Batches(Split(x, np.arange(103)), 10, seed=1, **settings)
    for of in (2, 3, 12):
        for i in range(len(batches)):
            batches.place = None
            whole, parts = batches[i], []
            for number in range(of):
                batches.place = (number, of)
                if batches.share(i).weight:
                    parts.append(batches[i])
            for place, array in enumerate(whole):
                assert np.array_equal(np.concatenate([part[place] for part in parts]), array)


@pytest.mark.backend_free
def test_weights_of_shares_add_up_and_one_without_rows_looks_on():
    shares = [Share.part(n, 4, 10) for n in range(4)]
    assert [(s.first, s.rows) for s in shares] == [(0, 3), (3, 3), (6, 2), (8, 2)]
    assert sum(s.weight for s in shares) == pytest.approx(1)
    assert Share.part(3, 4, 2) == Share(0, 1, 2, 0.0)


def test_noise_is_that_of_the_row_in_the_whole_batch():
    def drawn(first, *shape):
        rng = Generator(0, "train", 1, first)
        return np.concatenate([keras.ops.convert_to_numpy(rng.normal(shape)) for _ in range(2)])

    shares = [Share.part(number, 3, 10) for number in range(3)]
    whole = drawn(0, 10, 3)
    parts = [np.split(drawn(s, s.rows, 3), 2) for s in shares]
    for call in range(2):  # logarithms of rows in other places of memory may round otherwise
        found = np.concatenate([part[call] for part in parts])
        np.testing.assert_allclose(found, np.split(whole, 2)[call], rtol=1e-5, atol=1e-6)
    # examples and what was made of them, one after the other
    twice = np.split(drawn(0, 20, 3)[:20], 2)
    for half in range(2):
        found = [np.split(drawn(s, 2 * s.rows, 3)[: 2 * s.rows], 2)[half] for s in shares]
        np.testing.assert_allclose(np.concatenate(found), twice[half], rtol=1e-5, atol=1e-6)
    # what belongs to the batch is the same for all
    assert np.array_equal(drawn(shares[1], 7, 2), drawn(0, 7, 2))
    scalar, shared = (Generator(0, "train", 1, s) for s in (Share.part(1, 10, 10), 0))
    assert float(scalar.normal(())) == float(shared.normal(()))


# --- places


@pytest.mark.backend_free
@pytest.mark.parametrize(
    "given, place",
    [
        ({}, None),
        ({"WORLD_SIZE": "1", "RANK": "0"}, None),
        ({"SLURM_NTASKS": "4", "SLURM_PROCID": "0"}, None),  # a batch script, before srun
        (
            {"WORLD_SIZE": "4", "RANK": "3", "LOCAL_RANK": "1"}
            | {"MASTER_ADDR": "a", "MASTER_PORT": "5"},
            ("torchrun", 3, 4, 1, "a:5"),
        ),
        (
            {"SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "2", "SLURM_LOCALID": "0"}
            | {"SLURM_STEP_NODELIST": "gpu[07-09,12],b", "SLURM_JOB_ID": "41007"},
            ("Slurm", 2, 4, 0, "gpu07:21007"),
        ),
        (
            {"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "1", "MASTER_ADDR": "h"},
            ("Open MPI", 1, 2, 0, "h:29500"),
        ),
        (
            {"TF_CONFIG": '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"index": 1}}'},
            ("TF_CONFIG", 1, 2, 0, ""),
        ),
    ],
)
def test_the_place_of_a_process_is_read_from_the_environment(given, place):
    found = ranks.mine(given)
    if place is None:
        assert found is None
    else:
        assert (found.source, found.number, found.of, found.local, found.address) == place


@pytest.mark.backend_free
def test_what_a_process_starts_is_none_of_the_others(monkeypatch, tmp_path):
    for name, value in ranks.environment(1, 2, tmp_path).items():
        monkeypatch.setenv(name, value)
    assert ranks.mine() == ranks.Rank(1, 2, 1, tmp_path)
    ranks.forget()
    assert ranks.mine() is None


@pytest.mark.backend_free
def test_variables_that_contradict_each_other_are_refused_in_words():
    for given, words in (
        ({"WORLD_SIZE": "2"}, "unset WORLD_SIZE to train alone"),
        ({"WORLD_SIZE": "2", "RANK": "2", "MASTER_ADDR": "h"}, "none of WORLD_SIZE=2"),
        ({"TF_CONFIG": "{"}, "TF_CONFIG is not"),
    ):
        with pytest.raises(ZooError, match=words):
            ranks.mine(given)


# --- numbers


@pytest.mark.parametrize(
    "name, of",
    [
        ("vae", 2),
        ("dcgan", 2),
        pytest.param("vae", 3, marks=pytest.mark.slow),
        pytest.param("even_vae", 2, marks=pytest.mark.slow),
        pytest.param("vaegan", 2, marks=pytest.mark.slow),
        pytest.param("wgan_gp", 2, marks=pytest.mark.slow),
        pytest.param("vqvae", 2, marks=pytest.mark.slow),
        pytest.param("mmd_vae", 3, marks=pytest.mark.slow),
        pytest.param("beta_tc_vae", 3, marks=pytest.mark.slow),
        pytest.param("free_bits_vae", 2, marks=pytest.mark.slow),
        pytest.param("pacgan", 2, marks=pytest.mark.slow),
        pytest.param("dcgan", 4, marks=pytest.mark.slow),
    ],
)
def test_several_processes_have_the_numbers_of_one(tmp_path, name, of, full):
    steps = (10 if name in ("wgan_gp", "vaegan") else 50) if full else 4
    (alone,) = made(name, steps, tmp_path / "alone", 1)
    several = made(name, steps, tmp_path / "several", of)
    assert are_equal(several)
    first = several[0]
    np.testing.assert_allclose(first["terms"], alone["terms"], rtol=1e-4)
    # each evaluates some batches of the same weights, and makes some of the samples
    np.testing.assert_allclose(first["held_out"], alone["held_out"], rtol=1e-5, atol=1e-7)
    assert np.array_equal(first["samples"], alone["samples"])


# --- batch normalization per device


@pytest.mark.skipif(BACKEND == "jax", reason="JAX has devices in one process")
def test_per_device_a_batch_is_normalized_by_the_moments_of_its_rows(tmp_path, monkeypatch):
    several = made("dcgan", 1, tmp_path / "per", 2, batch_norm="per-device")
    assert are_equal(several)
    first = several[0]
    # one process that has but half of the rows, and asks nobody for the other half
    monkeypatch.setattr(step, "agreed", lambda share, *own: own[:3])
    halves = [after_a_step_of_rows(number) for number in range(2)]
    synchronized, _ = made("dcgan", 1, tmp_path / "synchronized", 2)
    moving = [key for key in first if "moving" in key]
    near = {"rtol": 1e-5, "atol": 1e-7}
    for key in moving:
        np.testing.assert_allclose(first[key], sum(half[key] for half in halves) / 2, **near)
    assert not all(np.allclose(first[key], synchronized[key], **near) for key in moving)


def after_a_step_of_rows(number: int) -> dict[str, np.ndarray]:
    """The state after a step of the rows that one of two processes has."""
    experiment = prepare(recipe("dcgan", callbacks=[]), QUIET)
    experiment.batches.place = number, 2
    assert a_step(experiment).share == Share.part(number, 2, 16)
    return state.captured(experiment.model)


def a_step(experiment) -> Chunk:
    """Make the first step, and return what it was made of."""
    chunks = Chunks(experiment.batches, [])
    chunk = chunks._joined(0, 1, False)
    steps = backend.Steps(experiment.model, chunks.rows, 1)
    steps.start(chunk.data, chunk.share)()
    steps.sync()
    return chunk


@pytest.mark.backend_free
@pytest.mark.parametrize(
    "args, message",
    [
        (["run", "dcgan_mnist"], "one device has the whole batch"),
        (["run", "dcgan_mnist", "--backend", "jax", "--devices", "2"], "on JAX one program"),
        (["launch", "dcgan_mnist", "--backend", "jax", "--processes", "2"], "on JAX one program"),
    ],
)
def test_moments_per_device_are_refused_where_there_are_none(args, message, capfd):
    assert main([*args, "--batch-norm", "per-device"]) == 2
    assert message in capfd.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(BACKEND == "jax", reason="JAX has devices in one process")
def test_a_run_says_how_it_takes_moments_and_keeps_to_it(tmp_path, capfd):
    asked = command(tmp_path, *TOGETHER, "epochs=1", "--batch-norm", "per-device")
    status, told = asked.ended()
    assert status == 0 and asked.run().manifest.batch_norm == "per-device", told
    path = str(asked.run().path)
    assert main(["show", path]) == 0
    assert "2 devices together, batch normalization per device" in capfd.readouterr().out
    assert main(["resume", path, "epochs=2", "--backend", "jax", "--devices", "2"]) == 2
    assert "add --batch-norm synchronized" in capfd.readouterr().err
    for options, kept in ([], "per-device"), (["--batch-norm", "synchronized"], "synchronized"):
        epochs = asked.run().manifest.epochs + 1
        more = command(tmp_path, "resume", path, f"epochs={epochs}", "--devices", "2", *options)
        status, told = more.ended()
        assert status == 0 and asked.run().manifest.batch_norm == kept, told


def test_alone_nothing_is_asked_of_others(monkeypatch):
    monkeypatch.setattr(step, "agreed", None)
    experiment = prepare(recipe("dcgan", callbacks=[]), QUIET)
    assert a_step(experiment).share is None and distributed.team is None
    assert distributed.devices == 1
    if BACKEND != "jax":  # whose devices need nothing of others
        assert f"zoo.engine.distributed.{BACKEND}" not in sys.modules
    assert not any("_moments" in vars(layer) for layer in experiment.model._flatten_layers())


@pytest.mark.skipif(BACKEND != "jax", reason="on the other backends a device has its process")
@pytest.mark.parametrize(
    "name",  # batches of 17, which are not divided, and of 16
    ["vae", "even_vae", pytest.param("dcgan", marks=pytest.mark.slow)],
)
@pytest.mark.parametrize("of", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_several_devices_of_jax_have_the_numbers_of_one(tmp_path, name, of, full):
    steps = 50 if full else 4
    (alone,) = made(name, steps, tmp_path / "alone", 1)
    (several,) = made(name, steps, tmp_path / "several", 1, devices=of)
    np.testing.assert_allclose(several["terms"], alone["terms"], rtol=1e-4)


# --- faults


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("rank", [0, 1])
def test_a_worker_that_dies_or_stops_is_made_up_for(tmp_path, sign, rank):
    status, told = command(tmp_path / "calm", *TOGETHER).ended()
    assert status == 0, told
    broken = command(tmp_path / "broken", *TOGETHER, "--max-restarts", "2")
    broken.until_checkpoint()
    os.kill(broken.workers()[rank], sign)
    status, told = broken.ended()
    assert status == 0, told
    assert f"rank {rank} of 2" in told and "1 restart left" in told
    assert_same(end(tmp_path / "calm"), end(tmp_path / "broken"))


@pytest.mark.slow
def test_without_restarts_one_message_says_who_and_what_to_do(tmp_path):
    killed = command(tmp_path, *TOGETHER, "epochs=200")
    run = killed.until_checkpoint()
    os.kill(killed.workers()[1], signal.SIGKILL)
    status, told = killed.ended()
    assert status == 1
    assert "rank 1 of 2 (cpu of " in told and "was ended by SIGKILL" in told
    how = (
        "zoo launch {} --resume --processes 2" if BACKEND == "jax" else "zoo resume {} --devices 2"
    )
    assert how.format(run.id) in told and "Traceback" not in told


@pytest.mark.slow
def test_no_process_outlives_its_supervisor(tmp_path):
    watched = command(tmp_path, *TOGETHER, "epochs=2000")
    watched.until_checkpoint()
    assert sorted(watched.workers()) == [0, 1]
    assert_all_end(watched)


@pytest.mark.slow
def test_a_signal_ends_all_with_a_checkpoint_from_which_one_goes_on(tmp_path):
    asked = command(tmp_path, *TOGETHER, "epochs=200")
    run = asked.until_checkpoint()
    asked.child.send_signal(signal.SIGINT)
    status, told = asked.ended(60)
    assert status == 130 and run.status == "interrupted", told
    epochs = f"epochs={run.manifest.epoch + 2}"
    status, told = command(tmp_path, "resume", run.id, epochs).ended()
    assert status == 0, told
    status, told = command(tmp_path, "resume", run.id, f"{epochs}0", "--devices", "2").ended()
    assert status == 0 and run.status == "finished", told


# --- Ray


@pytest.mark.backend_free
def test_mistakes_of_a_launch_are_told_before_anything_is_started(capfd, monkeypatch):
    for args, message in (
        (["vae_mnist"], "Missing option '--processes'"),
        (["vae_mnist", "--processes", "2", "--address", "auto"], "add --on ray"),
        (["vae_mnist", "--processes", "2", "--device", "gpu:0"], "no gpu:0 here"),
    ):
        assert main(["launch", *args]) == 2
        assert message in capfd.readouterr().err
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["launch", "vae_mnist", "--processes", "2", "--on", "ray"]) == 2
    assert 'Install it: pip install "keras-zoo[ray]"' in capfd.readouterr().err


needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray, the extra ray, is not installed"
)
LAUNCH = ["launch", "small.py", "--processes", "2"]


@needs_ray
@pytest.mark.slow
def test_on_ray_the_end_is_that_of_processes_here_also_where_a_worker_is_lost(tmp_path):
    status, told = command(tmp_path / "local", *LAUNCH).ended()
    assert status == 0, told
    broken = command(tmp_path / "ray", *LAUNCH, "--on", "ray", "--max-restarts", "2")
    broken.until_checkpoint()
    os.kill(sweeps.workers(broken.child.pid)[0], signal.SIGKILL)  # of Ray, which watches one
    status, told = broken.ended()
    assert status == 0, told
    assert "1 restart left" in told and "epoch 4/4" in told
    assert_same(end(tmp_path / "local"), end(tmp_path / "ray"))


@needs_ray
@pytest.mark.slow
def test_on_ray_no_process_outlives_the_command(tmp_path):
    watched = command(tmp_path, *LAUNCH, "--on", "ray", "epochs=2000")
    watched.until_checkpoint()
    assert sorted(watched.workers()) == [0, 1]
    assert_all_end(watched)
