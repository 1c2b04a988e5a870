"""A stranger's run: used, it ends in one message, runs no code and takes little memory.

The folders are those of a real run, each with one thing in it changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys

import keras
import pytest

from tests.resumable import recipe, train
from zoo.runs.checkpoints import ARRAYS, STATE, SUMS
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
        run.write_json("run.json", {**run.read_json("run.json"), **fields})

    return change


def setting(**settings):
    def change(run):
        model = run.read_json("run.json")["model"]
        manifest(model={**model, "settings": {**model["settings"], **settings}})(run)

    return change


def optimizer(config):
    def change(run):
        manifest(optimizers={"autoencoder": config})(run)

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
        manifest(data=run.read_json("run.json")["data"] | fields)(run)

    return change


def final(run):
    """The arrays of the last checkpoint, below the run."""
    [name] = [name for name in run.manifest.sha256 if name.startswith("checkpoints/")]
    return name


def weights(change_file):
    """The last checkpoint's arrays changed, under hashes that are right."""

    def change(run):
        name = final(run)
        change_file(run.path / name)
        _hashed(run, name)

    return change


def _hashed(run, name):
    path = run.path / name
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    state = path.parent / STATE
    sums = [f"{digest}  {ARRAYS}", f"{hashlib.sha256(state.read_bytes()).hexdigest()}  {STATE}"]
    (path.parent / SUMS).write_text("".join(f"{line}\n" for line in sums))
    run.update(sha256={name: digest})


def safetensors_of(path, entries, content=b""):
    header = json.dumps(entries).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + content)


def overlapping(path):
    entry = {"dtype": "F32", "shape": [1 << 18], "data_offsets": [0, 1 << 20]}
    safetensors_of(path, {f"networks/x/{i:03d}.a": entry for i in range(8000)}, bytes(1 << 20))


def with_a_gap(path):
    entry = {"dtype": "U8", "shape": [1], "data_offsets": [100, 101]}
    safetensors_of(path, {"networks/x/000.a": entry}, bytes(101))


def claims(path):
    entry = {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}
    safetensors_of(path, {"networks/encoder/000.kernel": entry})


def long_header(path):
    path.write_bytes((1 << 25).to_bytes(8, "little") + b" " * (1 << 25))


def wide_and_overlapping(run):
    setting(units=[20000, 20000])(run)
    weights(overlapping)(run)
    run.update(status="failed", sha256={})


def bad_sampler(content):
    def change(run):
        run.sampler.write_bytes(content)
        name = final(run)
        hashes = {name: run.manifest.sha256[name]}
        run.update(sha256={**hashes, run.sampler.name: hashlib.sha256(content).hexdigest()})

    return change


def pickled_sampler(run):
    bad_sampler(pickle.dumps(Bad()))(run)


def holes(run):
    with (run.path / final(run)).open("r+b") as file:
        file.truncate(1 << 40)


def moved(change):
    """A change that is made at the place of the last checkpoint's arrays."""
    return lambda run: change(final(run))(run)


def code_recipe(run):
    run.recipe.write_text(f"open({PROOF!r}, 'w')")
    run.update(model=run.read_json("run.json")["model"] | {"name": None, "class": "os:system"})


def layer(kind, module="keras.layers", /, **config):
    return {"module": module, "class_name": kind, "config": config, "registered_name": None}


def networks(*layers, **more):
    """A run whose decoder was its recipe's own, of these layers."""

    def change(run):
        first = layer("InputLayer", batch_shape=[None, 2], dtype="float32", name="first")
        own = layer("Sequential", "keras", name="own", trainable=True, layers=[first, *layers])
        content = json.dumps({"decoder": own | more})
        network_file(content.encode())(run)

    return change


def network_file(content):
    """Networks that were the recipe's own, under a hash that is right."""

    def change(run):
        manifest(networks=["decoder"])(run)
        made = isinstance(content, bytes)
        (text("networks.json", content) if made else content)(run)
        digest = hashlib.sha256(content if made else b"").hexdigest()
        run.update(sha256={**run.manifest.sha256, "networks.json": digest})

    return change


def nested(n):
    made = layer("Dense", units=2)
    for _ in range(n):
        made = layer("Sequential", "keras", layers=[made])
    return made


FUNCTION = {"module": "os", "class_name": "function", "config": "system", "registered_name": "x"}

HOSTILE = {
    "a Lambda layer in a network": networks(LAMBDA),
    "a Lambda layer in another": networks(layer("TimeDistributed", layer=LAMBDA)),
    "a function in a network": networks(layer("Dense", units=2, activation=FUNCTION)),
    "a lambda for an activation": networks(
        layer("Dense", units=2, activation={"class_name": "__lambda__", "config": {"value": "4"}})
    ),
    "a class of another module in a network": networks(layer("Popen", "subprocess", args="true")),
    "a module of Keras that is not imported": networks(layer("X", "keras.src.no_such_module")),
    "a saved program in a network": networks(layer("TFSMLayer", filepath="/tmp")),
    "a pickled network": networks(layer("TorchModuleWrapper", module="gA==")),
    "a file to read in a network": networks(layer("StringLookup", vocabulary="/etc/passwd")),
    "a model of the zoo in a network": networks(
        layer("GenerativeModel", "zoo.engine.model") | {"registered_name": "zoo>GenerativeModel"}
    ),
    "an optimizer in a network": networks(layer("Adam", "keras.optimizers")),
    "a layer of an earlier Keras": networks({"class_name": "Lambda", "config": {}}),
    "how to compile a network": networks(compile_config={"optimizer": "adam"}),
    "wide layers in a network": networks(layer("Dense", units=1 << 20)),
    "wider layers in a network": networks(layer("Dense", units=1 << 40)),
    "large outputs in a network": networks(
        layer("Reshape", target_shape=[1, 2, 1]), layer("UpSampling2D", size=[5000, 5000])
    ),
    "attention to many places": networks(
        layer("Reshape", target_shape=[2, 1]),
        layer("UpSampling1D", size=5000),
        layer("MultiHeadAttention", num_heads=1, key_dim=1),
    ),
    "a picture that is padded": networks(
        layer("Reshape", target_shape=[1, 2, 1]),
        layer("Conv2D", filters=1, kernel_size=3, padding="same", dilation_rate=[1 << 14] * 2),
    ),
    "a deep network of networks": networks(nested(40)),
    "many layers in a network": networks(*[layer("Dense", units=2)] * 20_000),
    "settings that no layer has": networks(layer("Dense", units="many", dense=True)),
    "a network that is text": network_file(b'{"decoder": "x"}'),
    "networks that are a pipe": network_file(pipe("networks.json")),
    "networks that are deep JSON": network_file(b"[" * 10**6),
    "networks that are huge JSON": network_file(b'{"decoder": "' + b"x" * (1 << 26) + b'"}'),
    "other networks": network_file(b'{"encoder": {}}'),
    "a name that leaves the folder": manifest(
        model={"name": "../../x", "class": "x", "settings": {}}
    ),
    "pictures elsewhere": link("pictures", "/tmp"),
    "weights that are a device": moved(lambda name: link(name, "/dev/zero")),
    "weights that are a pipe": moved(pipe),
    "a manifest that is a pipe": pipe("run.json"),
    "pickled weights": weights(lambda path: path.write_bytes(pickle.dumps(Bad()))),
    "a pickled sampler": pickled_sampler,
    "a sampler that is empty": bad_sampler(b""),
    "arrays that overlap": weights(overlapping),
    "a wide network and arrays that overlap": wide_and_overlapping,
    "arrays with a gap": weights(with_a_gap),
    "a checkpoint that claims to be large": weights(claims),
    "a long header": weights(long_header),
    "weights of holes": holes,
    "a Lambda layer for an optimizer": optimizer(LAMBDA),
    "a Lambda layer for a rate": optimizer(adam(learning_rate=LAMBDA)),
    "a function for an optimizer": optimizer(
        {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
    ),
    "an unregistered class": code_recipe,
    "a wide network": setting(units=[10**12]),
    "a deep network": setting(units=[1] * 10**5),
    "a large latent": setting(latent_dim=10**15),
    "large examples": data(shape=[10**6, 10**6, 3]),
    "negative examples": data(shape=[-1, 8, 1]),
    "many classes": data(classes=10**12),
    "huge JSON": lambda run: (run.path / "run.json").write_text('{"a": "' + "x" * (1 << 26) + '"}'),
    "deep JSON": lambda run: (run.path / "run.json").write_text("[" * 10**6),
    "text for numbers": manifest(seed="x", ema="y"),
    "lists for settings": manifest(weights=[], optimizers=[]),
    "a dataset that is text": manifest(dataset="x"),
    "an earlier format": manifest(format=1),
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
        file.write("5")  # reset the peak
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
    assert len(told.splitlines()) <= 3 and len(told) < 1000, told
    assert not list(folder.rglob(PROOF)), "code was executed"
    assert seconds < MOST_SECONDS
    assert memory < MOST_MEMORY
