"""The commands on recipes and runs: what they print, how they exit, what they leave.

Mistakes are told within this process; what a process does as such, by real ones.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from tests.commands import call, environment_kept
from tests.manifests import fields
from zoo import cli
from zoo.runs import folders
from zoo.runtime import backends

RECIPE = """
import keras
import zoo
from zoo import callbacks, datasets, metrics

recipe = zoo.Recipe(
    model=zoo.model("vae", latent_dim=2, units=(8,)),
    dataset=datasets.Digits(batch_size=512, binarize="dynamic"),
    optimizers={"autoencoder": keras.optimizers.Adam(1e-2)},
    callbacks=[callbacks.SampleGrid(n=4)],
    metrics=[metrics.ELBO()],
    epochs=2,
)
"""

posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals and shells")


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """An empty folder with one recipe, no data, no network; the environment is put back."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.py").write_text(RECIPE)
    with environment_kept():
        for name in ("ZOO_RUNS", "ZOO_DATA"):
            os.environ.pop(name, None)
        os.environ["KERAS_HOME"] = str(tmp_path / "keras")
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            os.environ[name] = "http://127.0.0.1:9"
        os.environ.pop("no_proxy", None)
        yield tmp_path


def start(*args, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "zoo", *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def finish(process, seconds=120):
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out, err


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run, made by the command in this process."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "tiny.py").write_text(RECIPE)
    with environment_kept():
        assert cli.main(["run", str(folder / "tiny.py"), "--runs", str(folder / "runs")]) == 0
    [found] = folders.all_runs(folder / "runs")
    return found


# --- zoo run


@pytest.mark.parametrize("backend", backends.installed())
@pytest.mark.backend_free
def test_a_run_is_quiet_but_for_what_it_says(place, backend):
    status, out, err = finish(start("run", "tiny.py", "epochs=1", "--backend", backend))
    assert status == 0, err
    [run] = folders.all_runs(place / "runs")
    said = [line for line in err.splitlines() if not re.search(r": \d+:\d\d", line)]
    recipe, device, what, where, epoch = said  # beside them what takes long, on a busy machine
    assert recipe == "recipe tiny.py"
    assert (
        device == f"{backend} on {'gpu' if backends.gpu_present() else 'cpu'} (chosen by --backend)"
    )
    examples = run.manifest.data.examples["train"]
    assert what == f"training vae on digits: {examples:,} training examples, 1 epoch"
    assert where == f"run {run.name}, kept in {run.path.relative_to(place)}"
    assert epoch.startswith("epoch 1/1  ") and "autoencoder/kl" in epoch
    lines = out.splitlines()
    assert lines[0].startswith("trained on digits, 1 epoch in ")
    assert lines[1].startswith("  elbo  -") and " nats  (digits: mean over" in lines[1]
    assert lines[-1] == f"next: zoo sample {run.id}, or zoo show {run.id}"
    assert "pictures/samples.png" in out
    assert run.status == "finished" and run.manifest.backend == backend
    assert run.recipe.read_text() == RECIPE


def test_changes_on_the_command_line_are_in_the_manifest(place, capfd):
    arguments = ["tiny.py", "epochs=1", "model.latent_dim=3", "weights.autoencoder.kl=2"]
    status, out, err = call(capfd, "run", *arguments, "--runs", "elsewhere")
    assert status == 0, err
    [run] = folders.all_runs(place / "elsewhere")
    assert run.manifest.model.settings["latent_dim"] == 3
    assert run.manifest.weights == {"autoencoder": {"kl": 2.0}}
    assert f"next: zoo sample {run.path.relative_to(place)}" in out  # found from here


@pytest.mark.once_in_short
def test_a_dry_run_describes_and_trains_nothing(place, capfd):
    status, out, err = call(capfd, "run", "tiny.py", "--dry-run", "weights.autoencoder.kl=0.5")
    assert status == 0, err
    assert not (place / "runs").exists()
    for text in (
        "VAE(latent_dim=2, units=(8,)",
        "digits, 8 x 8 x 1: train 1,397, validation 200, test 200",
        "3 an epoch, 2 epochs, batches of 512",
        "encoder: 556 parameters",
        "autoencoder: Adam on encoder, decoder",
        "elbo: autoencoder minimizes reconstruction + 0.5 x kl",
        "time      about ",
        " training step",
        " validation step",
        "without pictures and metrics",
    ):
        assert text in out


@pytest.mark.backend_free
@pytest.mark.skipif("jax" not in backends.installed(), reason="JAX is not installed")
def test_a_run_with_a_schedule_on_jax_imports_no_tensorflow(place):
    schedule = "keras.optimizers.schedules.CosineDecay(1e-2, 6)"
    (place / "scheduled.py").write_text(RECIPE.replace("Adam(1e-2)", f"Adam({schedule})"))
    code = (
        "import sys; from zoo import cli\n"
        "status = cli.main(['run', 'scheduled.py', '--backend', 'jax'])\n"
        "sys.exit(status or 'tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    [run] = folders.all_runs(place / "runs")
    rate = run.manifest.optimizers["autoencoder"]["config"]["learning_rate"]
    assert rate["class_name"] == "CosineDecay" and rate["config"]["decay_steps"] == 6


MISTAKES = {
    "missing file": (["none.py"], "no recipe 'none.py'"),
    "misspelt file": (["tinny.py"], "did you mean 'tiny.py'?"),
    "misspelt shipped": (["vae_mnst"], "did you mean 'vae_mnist'?"),
    "folder": (["."], ". is a folder"),
    "not Python": (["bad.py"], "not Python"),
    "raises": (["raises.py"], "raises.py, line 1: ZeroDivisionError: division by zero"),
    "no recipe": (["empty.py"], "empty.py defines no recipe"),
    "another type": (["dict.py"], "recipe is of type dict"),
    "player that is not": (
        ["player.py"],
        "unknown player 'autoencodr'; did you mean 'autoencoder'",
    ),
    "player without": (["players.py"], "none for player 'autoencoder'"),
    "key": (["tiny.py", "epoch=3"], "unknown setting 'epoch'; did you mean 'epochs'?"),
    "deep key": (["tiny.py", "model.latent_dims=3"], "did you mean 'latent_dim'?"),
    "type": (["tiny.py", "epochs=three"], "epochs takes int, not 'three' (str)"),
    "value": (["tiny.py", "dataset.binarize=dynamc"], "did you mean 'dynamic'?"),
    "no sign": (["tiny.py", "epochs"], "a change is key=value, as in epochs=3"),
    "term": (["tiny.py", "weights.autoencoder.kll=2"], "unknown term 'kll'; did you mean 'kl'?"),
    "weighted player": (["tiny.py", "weights.autoencodr.kl=2"], "did you mean 'autoencoder'?"),
    "optimizer": (["tiny.py", "optimizers.autoencoder=adma"], "'adma'"),
    "optimized player": (["tiny.py", "optimizers.generator=adam"], "unknown setting 'generator'"),
    "backend": (["tiny.py", "--backend", "pytroch"], "unknown backend 'pytroch'"),
    "device": (["tiny.py", "--device", "tpu"], "'tpu' is no device"),
    "data folder": (["vae_mnist", "--data-dir", "none"], "--data-dir names none"),
    "strict data": (["vae_mnist", "--strict-data"], "Three ways to provide MNIST"),
    "wrong file": (["vae_mnist", "--data-dir", "damaged"], "mnist.npz is not used"),
    "runs folder": (["tiny.py", "--runs", "tiny.py"], "cannot write"),
    "activation": (["tiny.py", "model.activation=siluu"], "siluu"),
    "size": (["tiny.py", "model.latent_dim=-1"], "VAE(latent_dim=-1"),
    "network": (["network.py"], "VAE: the given network 'encoder' raised NameError: name 'layrs'"),
    "no layer": (["no_layer.py"], "VAE: the given network 'encoder' comes as int"),
    "loss": (["loss.py"], "Mine.elbo raised KeyError: 'no such thing' (loss.py, line "),
}

FILES = {
    "bad.py": "def broken(:\n",
    "raises.py": "1 / 0",
    "empty.py": "import zoo",
    "dict.py": "recipe = {}",
    "player.py": RECIPE.replace('"autoencoder"', '"autoencodr"'),
    "players.py": RECIPE.replace('"autoencoder": keras.optimizers.Adam(1e-2)', ""),
    "network.py": RECIPE.replace(
        "epochs=2", 'networks={"encoder": lambda data, model: layrs.Dense(4)}, epochs=2'
    ),
    "no_layer.py": RECIPE.replace(
        "epochs=2", 'networks={"encoder": lambda data, model: 3}, epochs=2'
    ),
    "loss.py": RECIPE.replace('zoo.model("vae", ', "Mine(").replace(
        "recipe =",
        "from zoo_vae import VAE\n\nclass Mine(VAE):\n    def elbo(self, nets, batch, rng):\n"
        '        return {}["no such thing"]\n\nrecipe =',
    ),
    "damaged/mnist.npz": "PK half a file",
}


@pytest.fixture
def files(place):
    for name, text in FILES.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(text)


def one_message(status, out, err):
    """The message of a mistake, after the lines on what is run, where there are some."""
    assert status == 2, err
    assert out == ""
    begins = r"\w+ on [cg]pu \(|\S+: the |recipe "  # which backend, run or recipe is meant
    lines = [line for line in err.splitlines() if not re.match(begins, line)]
    assert len(lines) == 1, err
    assert lines[0].startswith("zoo: ")
    return lines[0]


@pytest.mark.once_in_short
@pytest.mark.parametrize("option", [(), ("--dry-run",)], ids=["run", "dry"])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_message_and_exit_2(files, place, capfd, mistake, option):
    if option and mistake == "runs folder":
        pytest.skip("a dry run makes no folder")
    arguments, message = MISTAKES[mistake]
    text = one_message(*call(capfd, "run", *arguments, *option))
    assert message in text
    assert not (place / "runs").exists()
    damaged = place / "damaged" / "mnist.npz"
    assert damaged.read_text() == FILES["damaged/mnist.npz"]


@pytest.mark.once_in_short
def test_the_traceback_of_code_that_fails_is_shown_on_demand(files, capfd, monkeypatch):
    status, _, err = call(capfd, "run", "loss.py", "--dry-run")
    assert status == 2 and "Traceback" not in err
    assert err.endswith("; ZOO_TRACEBACK=1 shows the traceback\n")
    monkeypatch.setenv("ZOO_TRACEBACK", "1")
    status, _, err = call(capfd, "run", "loss.py", "--dry-run")
    assert status == 2
    assert "Traceback" in err and 'return {}["no such thing"]' in err
    assert err.splitlines()[-1].startswith("zoo: Mine.elbo raised KeyError")
    assert "ZOO_TRACEBACK" not in err.splitlines()[-1]


@pytest.mark.once_in_short
@pytest.mark.parametrize("args", [["tiny.py", "--epochs", "3"], []])
def test_wrong_usage_is_exit_2(capfd, args):
    status, out, err = call(capfd, "run", *args)
    assert status == 2 and out == "" and "Usage: zoo run" in err


@pytest.mark.backend_free
def test_a_mistake_in_a_real_process():
    status, out, err = finish(start("run", "tiny.py", "epoch=3"))
    assert "epochs" in one_message(status, out, err)


@pytest.mark.backend_free
def test_a_device_that_is_not_there(capfd):
    if backends.gpu_present():
        pytest.skip("there is a GPU")
    assert "no GPU was found" in one_message(*call(capfd, "run", "tiny.py", "--device", "gpu"))


@pytest.mark.backend_free
def test_a_backend_that_is_not_installed(capfd, monkeypatch):
    monkeypatch.setattr(backends, "_importable", lambda name: name == "jax")
    message = one_message(*call(capfd, "run", "tiny.py", "--backend", "torch"))
    assert 'pip install "keras-zoo[torch]"' in message


@pytest.mark.once_in_short
def test_data_that_stand_in_are_announced_in_one_line(place, capfd):
    settings = ["epochs=1", "model.units=(8,)", "dataset.limit=128", "metrics.1.samples=2"]
    status, out, err = call(capfd, "run", "vae_mnist", *settings)
    assert status == 0, err
    [line] = [line for line in err.splitlines() if "could not be downloaded" in line]
    assert "stand-in" in line
    assert out.startswith("trained on digits (stand-in for mnist), 1 epoch")
    assert "(digits (stand-in for mnist): " in out
    [run] = folders.all_runs(place / "runs")
    with Image.open(run.pictures / "samples.png") as image:
        assert image.info["data"] == "digits (stand-in for mnist)"


@pytest.mark.once_in_short
def test_a_failing_run_is_exit_1(place, capfd):
    status, out, err = call(capfd, "run", "tiny.py", "weights.autoencoder.kl=1e999")
    assert status == 1 and out == ""
    assert "zoo: run tiny/" in err and "loss is not finite at step 1 of epoch 1" in err
    assert "Traceback" not in err
    assert folders.all_runs(place / "runs")[0].status == "failed"


@posix
@pytest.mark.backend_free
def test_ctrl_c_keeps_the_weights_and_is_130(place):
    process = start("run", "tiny.py", "epochs=100000", "callbacks.SampleGrid.every=100000")
    lines = []
    for line in process.stderr:
        lines.append(line)
        if line.startswith("epoch 2/"):
            break
    process.send_signal(signal.SIGINT)
    status, out, err = finish(process)
    assert status == 130, "".join(lines) + err
    assert "Traceback" not in err and out == ""
    [run] = folders.all_runs(place / "runs")
    assert run.status == "interrupted"
    assert run.manifest.epoch >= 2
    assert f"interrupted after {run.manifest.epoch} epochs; a checkpoint is kept" in err
    assert f"to go on: zoo resume {run.id}" in err
    assert f"next: zoo sample {run.id}" in err


@posix
@pytest.mark.backend_free
def test_ctrl_c_at_the_start_is_quiet(place):
    process = start("run", "tiny.py")
    assert process.stderr.readline() == "recipe tiny.py\n"
    assert " on " in process.stderr.readline()
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    status, _, err = finish(process)
    assert status == 130, err
    assert "Traceback" not in err


# --- zoo show, sample, reconstruct


@pytest.mark.once_in_short
def test_show_of_a_run(run, capfd):
    folder = run.path.parents[1]
    status, out, err = call(capfd, "show", "latest", "--runs", folder)
    assert status == 0 and err == f"{run.name}: the newest run\n"
    assert out.startswith(f"{run.name}  finished  epoch 2 of 2")
    assert "vae(latent_dim=2, units=[8]" in out and "elbo  -" in out
    status, out, _ = call(capfd, "show", run.id, "--runs", folder, "--json")
    shown = json.loads(out)
    assert shown["results"]["epochs"] == 2 and shown["path"] == str(run.path)


@pytest.mark.once_in_short
def test_show_of_a_run_that_is_not_finished(place, capfd):
    begun = folders.create(place / "runs", "tiny", **fields())
    status, out, _ = call(capfd, "show", "latest")
    assert status == 0 and out.startswith(f"{begun.name}  killed")


@pytest.mark.once_in_short
@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("vae", ["latent_dim=16  (int)", "autoencoder trains encoder, decoder", "Can sample, rec"]),
        ("keras-zoo/dcgan", ["adversarial='non_saturating'", "generator trains generator"]),
        ("mnist", ["limit=None  (int | None)", "stand-in for mnist"]),
        ("log_likelihood", ["samples=100", "Burda et al. 2016"]),
        ("vae_mnist", ["vae_mnist.py", "recipe = zoo.Recipe("]),
        ("tiny.py", ["tiny.py", "recipe = zoo.Recipe("]),
    ],
)
def test_show_of_a_name(capfd, name, texts):
    status, out, err = call(capfd, "show", name)
    assert status == 0 and len(err.splitlines()) == (name == "vae_mnist")  # a pretrained one too
    for text in texts:
        assert text in out
    status, out, _ = call(capfd, "show", name, "--json")
    assert status == 0 and json.loads(out)


@pytest.mark.once_in_short
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("vaee", "unknown name 'vaee'; did you mean 'vae'?"),
        ("vae_mnits", "did you mean 'vae_mnist'?"),
        ("tinny.py", "did you mean 'tiny.py'?"),
        ("latest", "there are no runs in runs"),
        ("tiny/2026", "no run 'tiny/2026'"),
    ],
)
def test_show_of_an_unknown_name(capfd, name, message):
    assert message in one_message(*call(capfd, "show", name))


@pytest.mark.once_in_short
def test_show_of_what_begins_several_runs(place, capfd):
    for _ in range(2):
        folders.create(place / "runs", "tiny", **fields())
    assert "2 runs fit 'tiny/'" in one_message(*call(capfd, "show", "tiny/"))


@pytest.mark.once_in_short
def test_show_of_a_plugin_that_needs_settings_and_of_a_broken_one(install, capfd):
    source = """
        import dataclasses, zoo
        @dataclasses.dataclass(frozen=True)
        class Toy(zoo.Model):
            '''A toy.'''
            size: int
            parts: list = dataclasses.field(default_factory=lambda: [1])
    """
    modules = {"toy_module": source, "broken_module": "1 / 0"}
    points = {"toy": "toy_module:Toy", "broken": "broken_module:Broken"}
    install("toys", {"zoo.models": points}, modules)
    status, out, _ = call(capfd, "show", "toy")
    assert status == 0
    assert "  size  (int)" in out and "  parts=[1]  (a list)" in out
    message = one_message(*call(capfd, "show", "broken"))
    assert "does not import: ZeroDivisionError" in message


def test_sample_writes_a_picture_or_numbers(run, place, capfd):
    folder = ["--runs", run.path.parents[1]]
    status, out, err = call(capfd, "sample", "latest", "-n", 9, "--seed", 7, *folder)
    assert status == 0, err
    assert out == f"{run.pictures / 'samples-seed-7.png'}  9 examples\n"
    assert err == f"{run.name}: the newest run\n"
    with Image.open(run.pictures / "samples-seed-7.png") as image:
        assert image.info["run"] == run.name
    numbers = ["sample", run.id, "-n", 3, "--seed", 7, "--out", "deep/x.npy", *folder]
    status, out, err = call(capfd, *numbers)
    assert status == 0 and "float32 (3, 8, 8, 1)" in out
    samples = np.load(place / "deep" / "x.npy")
    assert samples.min() >= 0 and samples.max() <= 1


def test_reconstruct_writes_pairs(run, place, capfd):
    folder = ["--runs", run.path.parents[1]]
    status, out, err = call(capfd, "reconstruct", "latest", "-n", 4, *folder)
    assert status == 0 and err == f"{run.name}: the newest run\n"
    assert out == f"{run.pictures / 'reconstructions-test.png'}  4 examples\n"
    status, out, _ = call(capfd, "reconstruct", "latest", "-n", 4, "--out", "x.npy", *folder)
    assert np.load(place / "x.npy").shape == (4, 8, 8, 1)


@pytest.mark.once_in_short
@pytest.mark.parametrize("command", ["sample", "reconstruct"])
def test_mistakes_with_a_run(run, place, capfd, command):
    folder = ["--runs", run.path.parents[1]]
    for arguments, message in [
        (["latest"], "there are no runs in runs"),
        (["none", *folder], "no run 'none'"),
        (["latest", "--out", "/dev/null/x.png", *folder], "cannot write"),
        (["latest", "--backend", "jaxx", *folder], "unknown backend 'jaxx'; did you mean 'jax'?"),
    ]:
        assert message in one_message(*call(capfd, command, *arguments))
    assert call(capfd, command, "latest", "-n", "0", *folder)[0] == 2
    begun = folders.create(place / "runs", "tiny", **fields())
    assert f"{begun.name} has no weights" in one_message(*call(capfd, command, "latest"))


@pytest.mark.once_in_short
def test_what_a_model_cannot_is_told(run, place, capfd):
    """The run of a model that samples but does not reconstruct."""
    source = RECIPE.replace("zoo.model(", "Plain(").replace('"vae", ', "")
    source = source.replace(
        "recipe =",
        "from zoo_vae import VAE\nclass Plain(VAE):\n    reconstruct = None\nrecipe =",
    )
    (place / "plain.py").write_text(source)
    status, out, err = call(capfd, "run", "plain.py", "epochs=1")
    assert status == 0, err
    recipe = folders.all_runs(place / "runs")[0].recipe.relative_to(place)
    assert f" --recipe {recipe}, or zoo show" in out
    message = one_message(*call(capfd, "sample", "latest"))
    assert "given by its recipe" in message and str(recipe) in message
    assert call(capfd, "sample", "latest", "--recipe", recipe)[0] == 0
    message = one_message(*call(capfd, "reconstruct", "latest", "--recipe", recipe))
    assert "Plain cannot reconstruct; it can: sample" in message


@posix
@pytest.mark.backend_free
def test_a_reader_that_leaves_early_is_no_error():
    command = f"{sys.executable} -m zoo show vae_mnist | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.count("\n") == 1 and done.stderr.startswith("vae_mnist: pretrained")


# --- help, and silence


@pytest.mark.once_in_short
@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_help_fits_narrow_terminals(capfd, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    for command in [[], *([name] for name in cli.COMMANDS)]:
        status, out, _ = call(capfd, *command, "--help")
        assert status == 0
        text = [line for line in out.splitlines() if not line.lstrip().startswith("zoo ")]
        assert max(map(len, text)) <= max(width, 50)


@pytest.mark.once_in_short
def test_stderr_is_held_back_unless_something_breaks(capfd):
    from zoo.errors import ZooError
    from zoo.runtime.quiet import held_back

    def noise(error=None):
        with held_back():
            os.write(2, b"noise\n")
            if error:
                raise error
        print("after", file=sys.stderr)

    noise()
    assert capfd.readouterr().err == "after\n"
    with pytest.raises(ZooError):
        noise(ZooError("said elsewhere"))
    assert capfd.readouterr().err == ""
    with pytest.raises(RuntimeError):
        noise(RuntimeError("a bug"))
    assert capfd.readouterr().err == "noise\n"


def test_the_backend_of_this_process_is_the_one_that_trains(run):
    assert run.manifest.backend == keras.backend.backend()
    assert Path(run.path / "recipe.py").read_text() == RECIPE
