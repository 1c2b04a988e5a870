"""No validation, no test, one picture: trained and shown; what is not finite is told."""

from __future__ import annotations

import json
from dataclasses import dataclass

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from zoo import callbacks, datasets, metrics
from zoo.cli import main
from zoo.datasets import Access, Batches, Data, Lazy, Split
from zoo.errors import RunFailed, ZooError
from zoo.runtime import jsons
from zoo.training import finite
from zoo.training.dry_run import describe

pytestmark = pytest.mark.once_in_short

QUIET = Access(say=lambda line: None)


def recipe(dataset, **changes):
    settings = {
        "model": zoo.model("vae", latent_dim=2, units=(8,)),
        "dataset": dataset,
        "optimizers": {"autoencoder": keras.optimizers.Adam(1e-3)},
        "epochs": 1,
    }
    return zoo.Recipe(**(settings | changes))


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "pictures"
    place.mkdir()
    for i in range(6):
        Image.new("L", (8, 8), 40 * i).save(place / f"{i}.png")
    return place


def strict(path):
    """A JSON file, read as other readers than Python's do."""

    def refuse(constant):
        raise AssertionError(f"{path} holds {constant}")

    return json.loads(path.read_text(), parse_constant=refuse)


@pytest.mark.parametrize(
    ("settings", "counts"),
    [
        ({"validation": 0, "test": 0}, [6, 0, 0]),
        ({"validation": 0.2, "test": 0}, [5, 1, 0]),
        ({"validation": 0, "test": 0.2, "binarize": "dynamic"}, [5, 0, 1]),
        ({"validation": 0, "test": 0, "binarize": "fixed"}, [6, 0, 0]),
    ],
)
def test_training_without_a_split(tmp_path, folder, settings, counts, capsys):
    dataset = datasets.Folder(str(folder), **settings)
    run = zoo.train(
        recipe(dataset, callbacks=[callbacks.SampleGrid(), callbacks.ReconstructionGrid()]),
        runs_folder=str(tmp_path / "runs"),
        access=QUIET,
    )
    assert list(run.manifest.data.examples.values()) == counts
    results = strict(run.path / "results.json")
    assert bool(results["validation"]) == bool(counts[1])
    assert bool(results["test"]) == bool(counts[2])
    assert any("reconstruction" in name for name in results["pictures"])
    if not counts[2]:
        out = str(tmp_path / "out.png")
        assert main(["reconstruct", str(run.path), "-o", out, "--data-dir", str(tmp_path)]) == 0
        assert "has no test examples: " in capsys.readouterr().err


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_few_pictures_are_trained_on(tmp_path, count):
    np.savez(tmp_path / "a.npz", x=np.zeros((count, 8, 8), "uint8"))
    with pytest.raises(ZooError, match="validation=0 and test=0 train on all of them"):
        datasets.Arrays(str(tmp_path / "a.npz")).load()
    few = datasets.Arrays(str(tmp_path / "a.npz"), validation=0, test=0)
    run = zoo.train(recipe(few), runs_folder=str(tmp_path), access=QUIET)
    assert run.status == "finished"


def test_published_data_without_validation():
    class Few(datasets.MNIST):
        TRAINING = 4

    x, y = np.zeros((4, 8, 8, 1), "uint8"), np.arange(4, dtype="int32")
    arrays = {"x_train": x, "y_train": y, "x_test": x, "y_test": y}
    data = Few(validation=0).split("few", arrays)
    assert [len(s) for s in (data.train, data.validation, data.test)] == [4, 0, 4]


@pytest.mark.parametrize("metric", [metrics.PSNR(), metrics.SSIM(), metrics.LogLikelihood()])
def test_metrics_without_test_examples(folder, metric, tmp_path):
    dataset = datasets.Folder(str(folder), test=0, validation=0)
    with pytest.raises(ZooError, match=r"needs test examples, .*dataset\.test=0\.1\. To"):
        zoo.train(recipe(dataset, metrics=[metric]), runs_folder=str(tmp_path), access=QUIET)


# What is not finite.


class Late(Lazy):
    """Examples of which row 5 is read as NaN."""

    def __init__(self):
        self.shape, self.dtype = (20, 8, 8, 1), np.dtype("float32")

    def read(self, rows):
        return np.where((rows == 5)[:, None, None, None], np.nan, np.zeros(self.shape[1:], "f4"))


@dataclass(frozen=True)
class Odd(datasets.Digits):
    """Data whose ``part`` holds NaN, in memory or found only when it is read."""

    part: str = "train"
    late: bool = True

    def load(self, access=QUIET):
        x = np.zeros((20, 8, 8, 1), "float32")
        fine, odd = Split(x), Split(Late() if self.late else np.asarray(Late()).astype("float32"))
        splits = {"train": fine, "validation": fine, "test": fine, self.part: odd}
        return Data("odd", zoo.DataSpec((8, 8, 1)), **splits, fingerprint="0")


@pytest.mark.parametrize("batch_size", [3, 8, 128])
def test_a_batch_that_is_not_finite_is_blamed(tmp_path, batch_size):
    with pytest.raises(RunFailed, match=r"row 5 of the training examples$") as caught:
        zoo.train(recipe(Odd(batch_size=batch_size)), runs_folder=str(tmp_path), access=QUIET)
    assert "learning rate" not in str(caught.value)


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_data_in_memory_are_refused_before_training(tmp_path, part):
    with pytest.raises(ZooError, match=rf"odd, {part}: row 5 holds nan at \[0, 0, 0\]"):
        zoo.train(recipe(Odd(part=part, late=False)), runs_folder=str(tmp_path), access=QUIET)


def test_augmentation_that_is_not_finite_is_blamed():
    class Broken(keras.layers.Layer):
        def call(self, x):
            return x / 0

    batches = Batches(Split(np.zeros((20, 4), "float32")), 8, seed=0)
    assert finite.in_batch(batches, 1) == ""
    batches.augment = lambda x, epoch, index: x * np.nan
    assert "row 8 of the training examples, after augmentation" in finite.in_batch(batches, 1)


@pytest.mark.parametrize("part", ["validation", "test"])
def test_results_of_data_found_late_are_json_and_told(tmp_path, part):
    lines = []
    run = zoo.train(
        recipe(Odd(part=part)), runs_folder=str(tmp_path), access=QUIET, say=lines.append
    )
    assert strict(run.path / "results.json")[part]["loss"] is None
    assert [x for x in lines if f"{part}: " in x and "null in results.json" in x and "row 5" in x]


def test_a_run_without_test_examples_is_packed_described_and_loaded(tmp_path, folder, monkeypatch):
    dataset = datasets.Folder(
        str(folder), test=0, validation=0, size=[8, 10], fit="pad", value_range=[0, 9]
    )
    assert "0 validation steps" in describe(recipe(dataset), QUIET).lines[-1]
    run = zoo.train(recipe(dataset), runs_folder=str(tmp_path / "runs"), access=QUIET)
    monkeypatch.setenv("ZOO_DATA", str(tmp_path))
    assert main(["pack", str(run.path), "--to", str(tmp_path / "pack")]) == 0
    assert zoo.load(tmp_path / "pack").data.shape == (8, 10, 1)
    assert main(["evaluate", str(run.path), "--metric", "psnr"]) == 2


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("-inf"), np.float32("inf"), np.array([1.0, np.nan]), (1, [np.nan])],
)
def test_json_of_what_is_not_finite(value):
    text = jsons.text({"a": value})
    found = json.loads(text, parse_constant=lambda name: pytest.fail(name))["a"]
    assert found is None or None in found or found == [1, [None]]
