"""A stranger's run: used, it ends in one message, runs no code and takes little memory.

The folders are those of a real run, each with one thing in it changed.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import zipfile

import h5py
import keras
import numpy as np
import pytest

from tests.resumable import recipe, train
from zoo.runs.run import Run

pytestmark = pytest.mark.backend_free  # what refuses is the same on every backend

MOST_SECONDS = 10.0
MOST_MEMORY = 300 << 20  # bytes, besides what the process had before
PROOF = "code-was-executed"
LAMBDA = {
    "module": "keras.layers",
    "class_name": "Lambda",
    "config": {"function": {"class_name": "__lambda__", "config": {"code": "4wA="}}},
    "registered_name": None,
}


class Bad:
    """What unpickles into a command."""

    def __reduce__(self):
        return os.system, (f"touch {PROOF}",)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    return train(recipe("vae", callbacks=[], epochs=1), folder)


def manifest(**fields):
    def change(run):
        run.write_json("run.json", {**run.manifest, **fields})

    return change


def setting(**settings):
    def change(run):
        model = run.manifest["model"]
        model["settings"] |= settings
        run.update(model=model)

    return change


def optimizer(config):
    def change(run):
        run.update(optimizers={"autoencoder": config})

    return change


def adam(**config):
    return {
        "module": "keras.optimizers",
        "class_name": "Adam",
        "config": config,
        "registered_name": None,
    }


def text(name, content):
    def change(run):
        (run.path / name).unlink(missing_ok=True)
        (run.path / name).write_bytes(content)

    return change


def pipe(name):
    def change(run):
        (run.path / name).unlink(missing_ok=True)
        os.mkfifo(run.path / name)

    return change


def link(name, target):
    def change(run):
        path = run.path / name
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.symlink_to(target)

    return change


def data(**fields):
    def change(run):
        run.update(data=run.manifest["data"] | fields)

    return change


def h5(change_file):
    def change(run):
        with h5py.File(run.weights, "r+") as file:
            change_file(file, run)

    return change


def first_dataset(file):
    found = []
    file.visititems(
        lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None
    )
    return found[0]


def bomb(file, run):
    name = first_dataset(file)
    del file[name]
    file.create_dataset(name, (1 << 34,), "f4", chunks=(1 << 20,), compression="gzip", fillvalue=1)


def outside(file, run):
    name = first_dataset(file)
    del file[name]
    file[name] = h5py.ExternalLink("/etc/passwd", "/")


def raw_outside(file, run):
    name = first_dataset(file)
    shape = file[name].shape
    del file[name]
    file.create_dataset(name, shape, "f4", external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])


def zip_bomb(run):
    with zipfile.ZipFile(run.sampler, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("weights", "means", "factors"):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array_header_1_0(
                    file, {"descr": "<f8", "fortran_order": False, "shape": (1 << 26,)}
                )
                for _ in range(64):
                    file.write(bytes(8 << 20))


def pickled_sampler(run):
    array = np.empty(1, object)
    array[0] = Bad()
    np.savez(run.sampler, weights=array, means=array, factors=array)


def holes(run):
    with run.weights.open("r+b") as file:
        file.truncate(1 << 40)


def code_recipe(run):
    run.recipe.write_text(f"open({PROOF!r}, 'w')")
    run.update(model=run.manifest["model"] | {"name": None, "class": "os:system"})


def checkpoint(run):
    """An unfinished run's, with a state that claims to be large."""
    from zoo.runs.checkpoints import ARRAYS, STATE, SUMS

    folder = run.checkpoints / "checkpoint-000099"
    folder.mkdir(parents=True)
    entry = {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}
    header = json.dumps({"networks/encoder/000.kernel": entry}).encode()
    (folder / ARRAYS).write_bytes(len(header).to_bytes(8, "little") + header)
    (folder / STATE).write_text('{"epoch": 1, "step": 0}')
    sums = subprocess.run(["sha256sum", ARRAYS, STATE], cwd=folder, capture_output=True, check=True)
    (folder / SUMS).write_bytes(sums.stdout)
    shutil.rmtree(run.checkpoints / "checkpoint-000001")
    run.weights.unlink()
    run.update(status="interrupted")


HOSTILE = {
    "a name that leaves the folder": manifest(
        model={"name": "../../x", "class": "x", "settings": {}}
    ),
    "pictures elsewhere": link("pictures", "/tmp"),
    "weights that are a device": link("model.weights.h5", "/dev/zero"),
    "weights that are a pipe": pipe("model.weights.h5"),
    "a manifest that is a pipe": pipe("run.json"),
    "pickled weights": text("model.weights.h5", pickle.dumps(Bad())),
    "a pickled sampler": pickled_sampler,
    "a sampler that is a bomb": zip_bomb,
    "an HDF5 bomb": h5(bomb),
    "an HDF5 link elsewhere": h5(outside),
    "HDF5 data elsewhere": h5(raw_outside),
    "weights of holes": holes,
    "a Lambda layer for an optimizer": optimizer(LAMBDA),
    "a Lambda layer for a rate": optimizer(adam(learning_rate=LAMBDA)),
    "a function for an optimizer": optimizer(
        {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
    ),
    "an unregistered class": code_recipe,
    "a wide network": setting(hidden=[10**12]),
    "a deep network": setting(hidden=[1] * 10**5),
    "a large latent": setting(latent_dim=10**15),
    "large examples": data(shape=[10**6, 10**6, 3]),
    "negative examples": data(shape=[-1, 8, 1]),
    "many classes": data(classes=10**12),
    "huge JSON": lambda run: (run.path / "run.json").write_text('{"a": "' + "x" * (1 << 26) + '"}'),
    "deep JSON": lambda run: (run.path / "run.json").write_text("[" * 10**6),
    "text for numbers": manifest(seed="x", ema="y"),
    "lists for settings": manifest(weights=[], optimizers=[]),
    "a checkpoint that claims to be large": checkpoint,
}


CODE = """
import contextlib, io, json, os, sys, time
from zoo.cli import main

def peak():
    with open("/proc/self/status") as file:
        return 1024 * next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))

found = {}
for folder in sys.argv[1:]:
    os.chdir(folder)
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak begins anew
    before, began, told = peak(), time.monotonic(), io.StringIO()
    with contextlib.redirect_stderr(told):
        status = main(["sample", "run", "-n", "4"])
    found[folder] = status, told.getvalue(), time.monotonic() - began, peak() - before
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(good, tmp_path_factory):
    """Of each folder: the command's exit status and message, seconds and memory that it took.

    In one process, which has sampled from the good run first: it has imported all there is.
    """
    folders = {}
    for name, change in {"": lambda run: None, **HOSTILE}.items():
        folders[name] = tmp_path_factory.mktemp("hostile")
        shutil.copytree(good.path, folders[name] / "run")
        change(Run(folders[name] / "run"))
    done = subprocess.run(
        [sys.executable, "-c", CODE, *map(str, folders.values())],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": keras.backend.backend()},
    )
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout.splitlines()[-1])
    return {name: (folder, *measured[str(folder)]) for name, folder in folders.items()}


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux tells it")
@pytest.mark.parametrize("name", ["", *HOSTILE])
def test_a_hostile_folder(found, name):
    folder, status, told, seconds, memory = found[name]
    if not name:
        assert status == 0, told
        return
    assert status == 2, told
    assert told.count("zoo: ") == 1 and "Traceback" not in told
    assert len(told.splitlines()) <= 2 and len(told) < 1000, told
    assert not list(folder.rglob(PROOF)), "code was executed"
    assert seconds < MOST_SECONDS
    assert memory < MOST_MEMORY
