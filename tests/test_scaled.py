"""Several processes that train one model: the numbers of one, and what becomes of faults."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.replicas import made
from zoo.datasets import Batches
from zoo.errors import ZooError
from zoo.plugin.dataset import Split
from zoo.random import Generator, Share
from zoo.runs.checkpoints import Store
from zoo.runs.run import Run
from zoo.runtime import ranks

BACKEND = keras.backend.backend()
processes = pytest.mark.skipif(BACKEND == "jax", reason="JAX has devices in one process")

RECIPE = """
import keras
import zoo
from zoo import callbacks, datasets

recipe = zoo.Recipe(
    model=zoo.model("vae", latent_dim=2, units=(8,)),
    dataset=datasets.Digits(batch_size=65, binarize="dynamic"),
    optimizers={"autoencoder": keras.optimizers.Adam(1e-3)},
    callbacks=[
        callbacks.TensorBoard(),
        callbacks.Checkpoint(every="3 steps"),
        keras.callbacks.EarlyStopping("val_loss", patience=1000),
        keras.callbacks.ReduceLROnPlateau("val_loss", patience=1, min_delta=100),
    ],
    ema=0.9,
    epochs=4,
)
"""


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


@processes
@pytest.mark.parametrize(
    "name, of",
    [
        ("vae", 2),
        ("dcgan", 2),
        pytest.param("vae", 3, marks=pytest.mark.slow),
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
    first, *others = made(name, steps, tmp_path / "several", of)
    for other in others:
        assert all(np.array_equal(first[key], other[key]) for key in first), name
    np.testing.assert_allclose(first["terms"], alone["terms"], rtol=1e-4)


def test_alone_nothing_is_asked_of_others(monkeypatch):
    from tests.resumable import QUIET, recipe
    from zoo.engine import distributed, step
    from zoo.engine.backends import backend
    from zoo.training.chunks import Chunks
    from zoo.training.experiment import prepare

    monkeypatch.setattr(step, "agreed", None)
    experiment = prepare(recipe("dcgan", callbacks=[]), QUIET)
    chunks = Chunks(experiment.batches, [])
    chunk = chunks._joined(0, 1, False)
    assert distributed.team is None and chunk.share is None
    backend.Steps(experiment.model, chunks.rows, 1).start(chunk.data, chunk.share)()
    assert distributed.devices == 1
    if BACKEND != "jax":  # whose devices need nothing of others
        assert f"zoo.engine.distributed.{BACKEND}" not in sys.modules
    assert not any("_moments" in vars(layer) for layer in experiment.model._flatten_layers())


@pytest.mark.skipif(BACKEND != "jax", reason="on the other backends a device has its process")
@pytest.mark.parametrize("name", ["vae", pytest.param("dcgan", marks=pytest.mark.slow)])
@pytest.mark.parametrize("of", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_several_devices_of_jax_have_the_numbers_of_one(tmp_path, name, of):
    (alone,) = made(name, 4, tmp_path / "alone", 1)
    (several,) = made(name, 4, tmp_path / "several", 1, devices=of)
    np.testing.assert_allclose(several["terms"], alone["terms"], rtol=1e-4)


# --- faults


class Command:
    """``zoo`` in a process, with the recipe above, in a folder."""

    def __init__(self, folder: Path, *args: str):
        (folder / "small.py").write_text(RECIPE)
        self.folder = folder
        command = [sys.executable, "-m", "zoo", *args, "--backend", BACKEND, "--runs", "runs"]
        self.child = subprocess.Popen(
            command,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"ZOO_DATA": ""},
        )

    def ended(self, timeout: float = 200) -> tuple[int, str]:
        out, errors = self.child.communicate(timeout=timeout)
        return self.child.returncode, out + errors

    def workers(self) -> dict[int, int]:
        """``{rank: pid}`` of the processes that it has started and that run."""
        found = {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if f"PPid:\t{self.child.pid}\n" not in (path / "status").read_text():
                    continue
                variables = (path / "environ").read_bytes().split(b"\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            own = [int(v[5:]) for v in variables if v.startswith(b"RANK=")]
            found |= {rank: int(path.name) for rank in own}
        return found

    def until_checkpoint(self, epochs: int = 1) -> Run:
        """The run, once some epochs of it are on the disk."""
        for _ in range(3000):
            for path in self.folder.glob("runs/small/*/run.json"):
                if json.loads(path.read_text())["epoch"] >= epochs:
                    return Run(path.parent)
            assert self.child.poll() is None, self.ended()
            time.sleep(0.05)
        raise AssertionError("no checkpoint")


def end(folder: Path) -> dict[str, np.ndarray]:
    (path,) = folder.glob("runs/small/*")
    return dict(Store(Run(path).checkpoints).newest().arrays)


def assert_same(ours, theirs):
    assert ours.keys() == theirs.keys()
    assert [key for key in ours if not np.array_equal(ours[key], theirs[key])] == []


@processes
@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("rank", [0, 1])
def test_a_worker_that_dies_or_stops_is_made_up_for(tmp_path, sign, rank):
    for name in ("calm", "broken"):
        (tmp_path / name).mkdir()
    status, told = Command(tmp_path / "calm", "run", "small.py", "--devices", "2").ended()
    assert status == 0, told
    args = ("run", "small.py", "--devices", "2", "--max-restarts", "2")
    command = Command(tmp_path / "broken", *args)
    command.until_checkpoint()
    os.kill(command.workers()[rank], sign)
    status, told = command.ended()
    assert status == 0, told
    assert f"rank {rank} of 2" in told and "1 restart left" in told
    assert_same(end(tmp_path / "calm"), end(tmp_path / "broken"))


@processes
@pytest.mark.slow
def test_without_restarts_one_message_says_who_and_what_to_do(tmp_path):
    command = Command(tmp_path, "run", "small.py", "--devices", "2", "epochs=200")
    run = command.until_checkpoint()
    os.kill(command.workers()[1], signal.SIGKILL)
    status, told = command.ended()
    assert status == 1
    assert "rank 1 of 2 (cpu of " in told and "was ended by SIGKILL" in told
    assert f"zoo resume {run.id} --devices 2" in told and "Traceback" not in told


@processes
@pytest.mark.slow
def test_no_process_outlives_its_supervisor(tmp_path):
    command = Command(tmp_path, "run", "small.py", "--devices", "2", "epochs=2000")
    run = command.until_checkpoint()
    workers = command.workers()
    assert sorted(workers) == [0, 1]
    command.child.kill()
    command.child.wait()
    for _ in range(100):
        left = [pid for pid in workers.values() if Path(f"/proc/{pid}/cmdline").exists()]
        if not left:
            break
        time.sleep(0.1)
    assert not left
    assert run.status in ("interrupted", "killed")


@processes
@pytest.mark.slow
def test_a_signal_ends_all_with_a_checkpoint_from_which_one_goes_on(tmp_path):
    command = Command(tmp_path, "run", "small.py", "--devices", "2", "epochs=200")
    run = command.until_checkpoint()
    command.child.send_signal(signal.SIGINT)
    status, told = command.ended(60)
    assert status == 130 and run.status == "interrupted", told
    epochs = f"epochs={run.manifest.epoch + 2}"
    status, told = Command(tmp_path, "resume", run.id, epochs).ended()
    assert status == 0, told
    status, told = Command(tmp_path, "resume", run.id, f"{epochs}0", "--devices", "2").ended()
    assert status == 0 and run.status == "finished", told
