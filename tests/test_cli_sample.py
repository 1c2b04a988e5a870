"""The commands that use a finished run: what they write, what they refuse."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image

from tests import commands
from zoo import cli
from zoo.runs import folders
from zoo.runtime.backends import BACKENDS

pytestmark = pytest.mark.once_in_short

RECIPE = """
import keras
import zoo
from zoo import datasets

recipe = zoo.Recipe(
    model=zoo.model({model}),
    dataset=datasets.Digits(batch_size=512{binarize}),
    optimizers={{{players}}},
    epochs=1,
)
"""

MODELS = {
    "vae": ('"vae", latent_dim=2, units=(8,)', ["autoencoder"], ', binarize="dynamic"'),
    "labelled": ('"vae", latent_dim=3, units=(8,), conditional=True', ["autoencoder"], ""),
    "gan": (
        '"gan", prior=zoo.nn.distributions.StandardNormal(3), units=(8,), conditional=True',
        ["discriminator", "generator"],
        "",
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of finished runs, one for each of ``MODELS``."""
    place = tmp_path_factory.mktemp("runs")
    for name, (model, players, binarize) in MODELS.items():
        optimizers = ", ".join(f'"{player}": keras.optimizers.Adam(1e-3)' for player in players)
        text = RECIPE.format(model=model, players=optimizers, binarize=binarize)
        (place / f"{name}.py").write_text(text)
        with commands.environment_kept():
            assert cli.main(["run", str(place / f"{name}.py"), "--runs", str(place)]) == 0
    return place


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with commands.environment_kept():
        yield tmp_path


@pytest.fixture
def call(folder, capfd):
    """``call("sample", "vae", ...)``: the output of a command on the run of this name."""

    def called(command, name, *args):
        words = [command, f"{name}/", *args, "--runs", folder]
        status, out, err = commands.call(capfd, *words)
        assert status == 0, err
        run = found(folder, name).name
        assert err == f"{run}: the run that {f'{name}/'!r} names\n"
        return out

    return called


@pytest.fixture
def mistake(folder, capfd):
    """Likewise, the one line in which a command refuses."""

    def refused(command, name, *args):
        status, out, err = commands.call(capfd, command, f"{name}/", *args, "--runs", folder)
        assert status == 2 and out == ""
        line = err.splitlines()[-1]
        assert line.startswith("zoo: ") and len(err.splitlines()) <= 2
        return line

    return refused


def found(folder, name):
    return folders.find(f"{name}/", folder)


def saved(path):
    """What a PNG file says of itself."""
    with Image.open(path) as image:
        assert image.format == "PNG" and min(image.size) > 20
        return image.text


# What one command imports too early is the same on every backend, so that one of them runs all.
others = pytest.mark.backend_free


@pytest.mark.parametrize(
    "command",
    [
        "sample",
        pytest.param("reconstruct --mask 0.5", marks=others),
        pytest.param("interpolate", marks=others),
        pytest.param("traverse", marks=others),
        pytest.param("embed", marks=others),
        pytest.param("evaluate", marks=others),
    ],
)
def test_the_backend_is_the_one_asked_for_whatever_keras_is_configured_for(command, folder):
    """Keras takes the backend of its own configuration when a module imports it too early."""
    backend = keras.backend.backend()
    other = next(name for name in BACKENDS if name != backend)
    environment = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    environment["KERAS_HOME"] = str(folder / "keras")
    (folder / "keras").mkdir(exist_ok=True)
    (folder / "keras" / "keras.json").write_text(json.dumps({"backend": other}))
    verb, *options = command.split()
    words = [verb, "vae/", *options, "--runs", folder, "--backend", backend]
    words += ["--metric", "mse"] if verb == "evaluate" else []
    done = subprocess.run(
        [sys.executable, "-m", "zoo", *map(str, words)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_samples_of_one_label(call, folder, place):
    assert "samples-seed-0-label-4.png  64 examples" in call("sample", "gan", "--label", 4)
    assert saved(found(folder, "gan").pictures / "samples-seed-0-label-4.png")["data"] == "digits"
    for name in ("gan", "labelled"):
        call("sample", name, "-n", 20, "--out", "turn.npy")
        call("sample", name, "-n", 20, "--label", 4, "--out", "four.npy")
        turn, four = np.load("turn.npy"), np.load("four.npy")
        np.testing.assert_allclose(four[[4, 14]], turn[[4, 14]], atol=1e-6)
        assert np.abs(four[[5, 15]] - turn[[5, 15]]).max() > 1e-5


def test_a_label_that_is_not_there(mistake):
    said = mistake("sample", "gan", "--label", 10)
    assert "has the label 10; labels are integers from 0 to 9" in said
    assert "has the label -1" in mistake("sample", "gan", "--label", -1)
    assert "VAE is not conditional" in mistake("sample", "vae", "--label", 1)


def test_embedding(call, folder, place):
    from zoo.datasets import Digits

    out = call("embed", "labelled", "--out", "codes.npz")
    assert out == "codes.npz  codes float32 (200, 3), labels int32 (200,)\n"
    with np.load("codes.npz") as arrays:
        codes, labels = arrays["codes"], arrays["labels"]
    assert codes.shape == (200, 3) and np.isfinite(codes).all()
    assert (labels == Digits().load().test.y).all()
    call("embed", "labelled", "--split", "validation")
    path = found(folder, "labelled").path / "codes-validation.npz"
    with np.load(path) as arrays:
        assert arrays["codes"].shape == (200, 3) and (arrays["codes"] != codes).any()
    call("embed", "vae", "--out", "codes.png")
    assert saved("codes.png")["run"] == found(folder, "vae").name


def test_the_training_examples_are_binarized_as_they_were_seen(folder):
    """Drawn anew each epoch in training, they are drawn once here."""
    from zoo.cli.trained import examples

    split = examples(found(folder, "vae"), None, None, "train")
    assert set(np.unique(split.x)) == {0, 255} and len(split.y) == len(split)


def test_interpolating(call, folder):
    out = call("interpolate", "vae", "--pairs", 3, "--seed", 7)
    path = found(folder, "vae").pictures / "interpolations-seed-7.png"
    assert out == f"{path}  3 pairs\n"
    saved(path)
    for name in ("labelled", "gan"):
        call("interpolate", name, "--pairs", 3, "--steps", 5, "--out", "ways.npy")
        assert np.load("ways.npy").shape == (3, 5, 8, 8, 1)


def test_traversing(call, folder):
    out = call("traverse", "vae")
    path = found(folder, "vae").pictures / "traversals-0.png"
    assert out == f"{path}  2 dimensions\n"
    saved(path)
    assert call("traverse", "vae", "--plane").endswith("manifold.png  20 x 20 codes\n")
    arguments = ["--dim", 2, "--dim", 0, "--index", 3, "--steps", 5, "--out", "new/x.npy"]
    for name in ("labelled", "gan"):
        call("traverse", name, *arguments)
        assert np.load("new/x.npy").shape == (2, 5, 8, 8, 1)


def test_reconstructing_with_labels(call):
    call("reconstruct", "labelled", "-n", 5, "--out", "x.npy")
    assert np.load("x.npy").shape == (5, 8, 8, 1)


def test_denoising_and_completing(call, folder):
    out, errors = call("reconstruct", "labelled", "-n", 6, "--noise", 0.3).splitlines()
    pictures = found(folder, "labelled").pictures
    assert out == f"{pictures / 'reconstructions-test-noise-0.3.png'}  6 examples"
    _, before, _, after = errors.removeprefix("mean squared error").split()
    assert 0.02 < float(before) < 0.1 and float(after) > 0
    out, errors = call("reconstruct", "vae", "-n", 6, "--mask", "left").splitlines()
    assert errors.startswith("mean squared error of hidden pixels  grey 0.25000  completed 0.")
    saved(found(folder, "vae").pictures / "reconstructions-test-mask-left.png")


@pytest.mark.parametrize(
    ("command", "name", "arguments", "message"),
    [
        ("sample", "vae", ["--out", "x.jpg"], "x.jpg: its name has to end in .png or .npy"),
        ("reconstruct", "vae", ["--out", "x"], "--out x: its name has to end in .png or .npy"),
        ("embed", "vae", ["--out", "x.npy"], "x.npy: its name has to end in .npz or .png"),
        ("embed", "vae", ["--out", "/dev/null/x.npz"], "cannot write /dev/null/x.npz"),
        ("embed", "gan", [], "GAN cannot encode; it can: sample, decode"),
        ("embed", "gan", ["--out", "x.png"], "GAN cannot encode; it can: sample, decode"),
        ("reconstruct", "gan", ["--noise", "0.1"], "GAN cannot reconstruct"),
        ("reconstruct", "gan", ["--mask", "left"], "GAN cannot reconstruct"),
        ("reconstruct", "vae", ["--mask", "lef"], "not 'lef'; did you mean 'left'?"),
        ("reconstruct", "vae", ["--mask", "left", "--noise", "1"], "give one of them"),
        ("traverse", "vae", ["--dim", "2"], "VAE has 2 latent dimensions, 0 to 1, and none is 2"),
        ("traverse", "vae", ["--index", "5000"], "there is no example 5000: they are 0 to 199"),
        ("traverse", "vae", ["--plane", "--dim", "1"], "leave --dim out"),
        ("traverse", "gan", ["--plane"], "a latent of 2 dimensions, and this one has 3"),
    ],
)
def test_mistakes_are_one_sentence(mistake, place, command, name, arguments, message):
    assert message in mistake(command, name, *arguments)
    assert list(place.iterdir()) == []


def test_numbers_that_make_no_sense_are_refused(folder, capfd):
    for words in (["traverse", "--steps", "1"], ["interpolate", "--pairs", "0"]):
        status = cli.main([words[0], "vae/", *words[1:], "--runs", str(folder)])
        assert status == 2 and words[1] in capfd.readouterr().err
    assert cli.main(["reconstruct", "vae/", "--noise", "0", "--runs", str(folder)]) == 2


@pytest.mark.parametrize(
    "words",
    [
        ("sample", "labelled"),
        ("reconstruct", "vae"),
        ("interpolate", "gan"),
        ("traverse", "vae", "--plane"),
    ],
)
def test_a_picture_is_shown_in_a_terminal_and_nowhere_else(call, monkeypatch, words):
    command, name, *options = words
    line = call(command, name, *options, "--show", "--out", "x.png")
    assert "▀" not in line and line.startswith("x.png")
    monkeypatch.setattr("zoo.cli.trained.columns", lambda stream: 40)
    shown = call(command, name, *options, "--show", "--out", "x.png").splitlines()
    assert shown[-1] == line.rstrip()
    assert len(shown) > 3 and {part.count("▀") for part in shown[:-1]} == {40}
    monkeypatch.setenv("TERM", "dumb")
    assert call(command, name, *options, "--show", "--out", "x.png") == line
