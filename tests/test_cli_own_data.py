"""Commands on a run that take a person's own pictures, and write files that others read."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

import zoo
from tests import commands
from zoo import cli
from zoo.datasets import Folder
from zoo.runs import folders

pytestmark = pytest.mark.once_in_short

RECIPE = """
import keras
import zoo
from zoo import datasets

recipe = zoo.Recipe(
    model=zoo.model("vae", latent_dim=3, units=(16,), conditional={conditional}),
    dataset=datasets.Folder("{path}", size=8, batch_size=32{more}),
    optimizers={{"autoencoder": keras.optimizers.Adam(1e-2)}},
    epochs=40,
)
"""
NAMES = ("ink", "oak", "sky")


def draw(folder, n, seed):
    """Pictures 12 x 10 in three classes: bars at three heights, with noise."""
    noise = np.random.RandomState(seed)
    for place, name in enumerate(NAMES):
        (folder / name).mkdir(parents=True)
        for i in range(n):
            x = noise.randint(0, 60, (12, 10)).astype("uint8")
            x[4 * place : 4 * place + 3] = 220
            Image.fromarray(x).save(folder / name / f"{i:02d}.png")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder of runs, ``plain`` and ``labelled``, with the pictures that they were trained on."""
    place = tmp_path_factory.mktemp("own")
    draw(place / "bars", 20, 0)
    draw(place / "new", 4, 1)
    for name, conditional, more in (
        ("plain", False, ', fit="pad", background="white"'),
        ("labelled", True, ""),
    ):
        text = RECIPE.format(conditional=conditional, path=place / "bars", more=more)
        (place / f"{name}.py").write_text(text)
        with commands.environment_kept():
            assert cli.main(["run", str(place / f"{name}.py"), "--runs", str(place / "runs")]) == 0
    return place


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with commands.environment_kept():
        yield tmp_path


@pytest.fixture
def call(home, capfd):
    """``call("embed plain --out x.npz")``: status, stdout and stderr; NEW is the new pictures."""

    def called(line, *more):
        words = [home / "new" if word == "NEW" else word for word in line.split()]
        return commands.call(capfd, *words, *more, "--runs", home / "runs")

    return called


def load(home, name):
    return zoo.load(name, runs_folder=home / "runs")


def new(home, fit="crop", background="black"):
    """The new pictures as the dataset itself makes them, and their labels."""
    data = Folder(
        str(home / "new"), size=8, fit=fit, background=background, validation=0, test=0
    ).load()
    return data.train


def test_own_pictures_are_made_like_those_of_the_run(home, call):
    status, _, err = call("embed plain --input NEW --out codes.npz")
    assert status == 0, err
    assert err.count("12 pictures padded to 8 x 8 in grey") == 1
    split = new(home, "pad", "white")
    with np.load("codes.npz") as found:
        np.testing.assert_allclose(
            found["codes"], load(home, "plain").encode(split.x), rtol=1e-4, atol=1e-5
        )
        assert found["labels"].tolist() == split.y.tolist()
        assert found["files"][0] == "ink/00.png" and found["class_names"].tolist() == [*NAMES]


@pytest.mark.parametrize("use", ["", "--noise 0.2", "--mask left"])
def test_one_file_is_reconstructed_denoised_and_completed(home, call, use):
    file = home / "new" / "oak" / "01.png"
    status, _, err = call(f"reconstruct plain {use} --out a.npy", "--input", file)
    assert status == 0, err
    made = np.load("a.npy")
    assert made.shape == (1, 8, 8, 1)
    if not use:
        x = new(home, "pad", "white").x[5:6]
        np.testing.assert_allclose(made, load(home, "plain").reconstruct(x), atol=1e-5)


def test_an_interpolation_goes_from_the_first_file_to_the_second(home, call):
    files = [home / "new" / "sky" / "00.png", home / "new" / "ink" / "02.png"]
    given = [word for file in files for word in ("--input", file)]
    status, _, err = call("interpolate plain --steps 5 --out a.npy", *given)
    assert status == 0, err
    way, x = np.load("a.npy"), new(home, "pad", "white").x
    assert way.shape == (1, 5, 8, 8, 1)
    ends = load(home, "plain").reconstruct(x[[8, 2]])
    np.testing.assert_allclose(way[0, [0, -1]], ends, atol=1e-5)
    assert call("interpolate plain", "--input", files[0])[0] == 2  # there is nowhere to go


def test_a_conditional_model_takes_classes_from_folders_or_a_label(home, call):
    status, _, err = call("reconstruct labelled --input NEW --out a.npy")
    assert status == 0, err
    split, model = new(home), load(home, "labelled")
    expected = model.reconstruct(split.x, labels=split.y)
    np.testing.assert_allclose(np.load("a.npy"), expected, atol=1e-5)
    file = home / "new" / "oak" / "00.png"
    assert call("reconstruct labelled --label sky --out b.npy", "--input", file)[0] == 0
    expected = model.reconstruct(split.x[4:5], labels=[2])
    np.testing.assert_allclose(np.load("b.npy"), expected, atol=1e-5)
    status, _, err = call("reconstruct labelled", "--input", file)
    assert status == 2 and "--label" in err and "ink, oak, sky" in err


def test_samples_of_each_class_are_a_folder_that_can_be_trained_on(home, call, place):
    status, out, err = call("augment labelled --per-class 3 --seed 5 -o more")
    assert status == 0, err
    data = Folder(str(place / "more"), validation=0, test=0).load()
    assert data.class_names == NAMES and data.train.y.tolist() == [0] * 3 + [1] * 3 + [2] * 3
    made = load(home, "labelled").sample(9, seed=5, labels=data.train.y)
    assert np.abs(data.train.x / 255 - made).max() <= 0.5 / 255 + 1e-5
    assert "next: zoo data more" in out


def test_augment_refuses_without_losing_what_is_there(call, place):
    (place / "more").mkdir()
    (place / "more" / "mine.txt").write_text("x")
    status, _, err = call("augment labelled --per-class 2 -o more")
    assert status == 2 and "is not an empty folder" in err
    assert [path.name for path in place.iterdir()] == ["more"]
    status, _, err = call("augment plain --per-class 2 -o other")
    assert status == 2 and "model.conditional=true" in err
    assert [path.name for path in place.iterdir()] == ["more"]


def test_pictures_are_compressed_and_come_back(home, call, place):
    pytest.importorskip("constriction")
    status, out, err = call("compress NEW plain -o a.zoo")
    assert status == 0, err
    assert "12 pictures of 8 x 8" in out and "JPEG" in out and "PNG" in out
    status, out, err = call("decompress a.zoo -o again")
    assert status == 0, err
    split = new(home, "pad", "white")
    again = Folder(str(place / "again"), validation=0, test=0).load().train
    assert again.y.tolist() == split.y.tolist()
    whole = load(home, "plain").reconstruct(split.x)
    errors = [np.square(x - split.x / 255).mean(axis=(1, 2, 3)) for x in (again.x / 255, whole)]
    lost = -10 * np.log10(errors[0]) + 10 * np.log10(errors[1])
    assert abs(lost.mean()) < 0.2  # decibels, which --loss bounds
    assert sorted(p.name for p in (place / "again" / "ink").iterdir())[0] == "00.png"


def test_a_file_is_only_read_with_the_weights_that_it_was_made_with(home, call, place):
    pytest.importorskip("constriction")
    assert call("compress NEW labelled -o a.zoo")[0] == 0
    status, _, err = call("decompress a.zoo --run plain -o again")
    assert status == 2 and "made with other weights" in err and not (place / "again").exists()
    assert call("decompress a.zoo -o again")[0] == 0  # its labels are in the file
    assert len(list((place / "again").rglob("*.png"))) == 12


def test_odd_pictures_score_highest(home, call, place):
    (place / "mine").mkdir()
    for i in range(3):
        bars = home / "new" / "oak" / f"0{i}.png"
        (place / "mine" / f"bars{i}.png").write_bytes(bars.read_bytes())
    Image.fromarray(np.random.RandomState(0).randint(0, 255, (12, 10), "uint8")).save("mine/z.png")
    for by in ("likelihood", "error"):
        status, out, err = call(f"score plain mine --by {by} -o s.csv --against-test")
        assert status == 0, err
        rows = list(csv.DictReader((place / "s.csv").read_text().splitlines()))
        assert rows[0]["example"] == "z.png" and rows[0]["rank"] == "1"
        values = [float(row["score"]) for row in rows]
        assert values == sorted(values, reverse=True) and len(values) == 4
        assert "AUROC 0." in out or "AUROC 1." in out
    status, out, err = call("score plain -o s.png -n 4")  # of the run's own test examples
    assert status == 0 and (place / "s.png").is_file() and "test " in out


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("score plain --by error --samples 4", "--samples is of the likelihood"),
        ("score plain mine --split train", "--split is of the run's own data"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(home, call, line, what):
    status, _, err = call(line)
    assert status == 2 and what in err


def test_a_single_picture_needs_no_second_command(home, call):
    status, out, err = call("score plain", home / "new" / "ink" / "00.png")
    assert status == 0, err
    assert "1 score" in out
    folder = folders.find("plain", home / "runs").path
    assert (folder / "scores-00.csv").is_file()
