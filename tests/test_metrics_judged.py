"""Metrics in which a classifier judges: a real one, of the digits, trained here."""

from __future__ import annotations

import dataclasses
import shutil
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from keras import ops

import zoo
from zoo import metrics
from zoo.config import recipe
from zoo.datasets import Access, Data, Digits, Split
from zoo.errors import RunFailed, ZooError
from zoo.features import classifiers as judges
from zoo.runs import folders, locks, pretrained

pytestmark = pytest.mark.once_in_short

RECIPE = """
import keras
import zoo
from zoo import datasets, metrics

recipe = zoo.Recipe(
    model=zoo.model("classifier", filters=(8, 16), dropout=0.0),
    dataset=datasets.Digits(batch_size=64),
    optimizers={"classifier": keras.optimizers.Adam(1e-2)},
    metrics=[metrics.Accuracy()],
    epochs=4,
)
"""


class Made(zoo.Model):
    """A model whose abilities are functions of NumPy arrays."""

    def __init__(self, **abilities):
        vars(self).update(abilities)

    @property
    def plugin(self):
        return self


@pytest.fixture(scope="module")
def digits():
    return Digits().load(Access())


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("recipes") / "judge.py"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="module")
def judge(tmp_path_factory, source):
    """A finished run of the classifier."""
    folder = tmp_path_factory.mktemp("judge")
    return zoo.train(recipe.load(source), name="judge", runs_folder=str(folder), source=source)


def test_the_classifier_reads_digits(judge):
    found = judge.read_json("results.json")["metrics"]["accuracy"]
    assert 0.9 < found["value"] <= 1
    assert found["protocol"] == "digits: 200 test examples, the most probable class"


def test_cross_entropy_by_hand():
    """-log softmax of two logits that differ by log 3: log 4 - log 3 and log 4."""
    model = zoo.model("classifier")
    logits = ops.convert_to_tensor(np.log([[3.0, 1.0], [3.0, 1.0]]).astype("float32"))
    batch = zoo.Batch(logits, ops.convert_to_tensor(np.array([0, 1], "int32")))
    terms = model.learn(SimpleNamespace(classifier=lambda x: x), batch, None)
    found = ops.convert_to_numpy(terms["classifier"]["cross_entropy"])
    np.testing.assert_allclose(found, np.log([4 / 3, 4.0]), rtol=1e-6)
    probabilities = model.classify(SimpleNamespace(classifier=lambda x: x), logits)
    np.testing.assert_allclose(ops.convert_to_numpy(probabilities), [[0.75, 0.25]] * 2, rtol=1e-6)


def test_a_classifier_needs_labels():
    with pytest.raises(ZooError, match="no labels to learn"):
        zoo.build(zoo.model("classifier"), zoo.DataSpec((8, 8, 1)))


def test_a_judge_that_another_run_trains_is_waited_for(tmp_path, source, judge, digits):
    """Runs of a sweep begin at once, and are judged by one."""
    told, found = [], []
    access = Access(say=told.append)
    args = (str(source), digits.spec, access, str(tmp_path))
    thread = threading.Thread(target=lambda: found.append(judges.run_of(*args)))
    with locks.awaited(tmp_path / judges.OWN, told.append, "this test"):
        thread.start()
        while not told and thread.is_alive():
            time.sleep(0.01)
        shutil.copytree(judge.path, tmp_path / judges.OWN / judge.name)
    thread.join()
    assert [run.id for run in found] == [judge.id]
    [line] = told
    assert line.startswith("waiting for another training of judge to end, which process ")


def test_recognition_of_real_pictures_and_of_noise(judge, digits):
    metric = metrics.Recognition(classifier=str(judge.path), samples=200)
    real = Made(sample=lambda n, seed: digits.test.x[:n] / np.float32(255))
    found = metric.measure(real, digits, seed=0)
    assert found.value == found.details["real"] > 0.8
    shares = [found.details[f"class_{label}"] for label in range(10)]
    assert sum(shares) == pytest.approx(1)
    assert found.details["least_class"] == min(shares) > 0.06
    blank = Made(sample=lambda n, seed: np.full((n, 8, 8, 1), 0.5, "float32"))
    one = metric.measure(blank, digits, seed=0)
    assert one.details["least_class"] == 0
    assert max(one.details[f"class_{label}"] for label in range(10)) == 1
    assert one.details["real"] == found.details["real"]
    strict = dataclasses.replace(metric, confidence=0.999).measure(real, digits, seed=0)
    assert strict.value < found.value


def test_recognition_of_the_class_that_was_asked_for(judge, digits):
    metric = metrics.Recognition(classifier=str(judge.path), samples=20)
    one = digits.test.x[np.asarray(digits.test.y) == 3][:1] / np.float32(255)
    threes = Made(sample=lambda n, seed: np.repeat(one, n, axis=0))
    assert "asked" not in metric.measure(threes, digits, seed=0).details
    threes.conditional, threes.data = True, digits.spec  # asked for each class twice
    found = metric.measure(threes, digits, seed=0).details
    assert (found["class_3"], found["asked"]) == (1.0, 0.1)


def test_the_protocol_names_the_classifier_by_its_weights(judge, digits):
    model = Made(reconstruct=lambda x, labels=None: x / np.float32(255))
    metric = metrics.LabelKept(classifier=str(judge.path))
    first, again = (metric.measure(model, digits, seed=0).protocol for _ in range(2))
    assert first == again
    [sha256] = judge.manifest.sha256.values()
    right = judge.read_json("results.json")["metrics"]["accuracy"]["value"]
    told = f"classifier {judge.name} (weights {sha256[:8]}, test accuracy {right:.2%})"
    assert first.endswith(told)
    facts = {"judge": judge.name, "judge_sha256": sha256, "judge_accuracy": right}
    assert metric.measure(model, digits, seed=0).facts == facts


def test_label_kept_by_pictures_that_stay_and_that_change_places(judge, digits):
    metric = metrics.LabelKept(classifier=str(judge.path))
    same = Made(reconstruct=lambda x, labels=None: x / np.float32(255))
    found = metric.measure(same, digits, seed=0)
    assert found.value == found.details["originals"] > 0.9
    classes = [digits.test.x[digits.test.y == label][0] for label in range(10)]
    other = Made(
        reconstruct=lambda x, labels=None: np.stack([classes[(y + 1) % 10] for y in labels]) / 255.0
    )
    assert metric.measure(other, digits, seed=0).value < 0.2


def test_stacked_modes_counts_the_numbers_that_are_read(judge, digits):
    one_of_each = np.stack([digits.test.x[digits.test.y == d][0] for d in range(10)])
    stacks = np.stack([one_of_each[[a, b, a], :, :, 0] for a in range(10) for b in range(10)])
    samples = stacks.transpose(0, 2, 3, 1) / np.float32(255)
    split = Split((255 * samples).astype("uint8"), np.arange(100))
    stacked = Data("stacked", zoo.DataSpec((8, 8, 3), 1000), split, split, split)
    metric = metrics.StackedModes(samples=100, classifier=str(judge.path))
    metric.check(stacked)
    digits_read = zoo.load(judge).classify(one_of_each).argmax(axis=1)
    expected = len({(a, b) for a in digits_read for b in digits_read})
    found = metric.measure(Made(sample=lambda n, seed: samples[:n]), stacked, seed=0)
    assert (found.value, found.unit) == (expected, "of 1,000 modes")
    with pytest.raises(ZooError, match="three digits in 1,000 classes, and digits has none"):
        metric.check(digits)


# --- which classifier


def test_the_latest_finished_run_on_the_same_data_is_found(judge, source, digits):
    root = str(judge.path.parents[1])
    said = []
    metric = metrics.Recognition(classifier=str(source))
    ready = metric.prepare(digits, Access(say=said.append), root)
    assert ready.classifier == str(judge.path) and said == []
    assert metric.classifier == str(source)
    # newer, and unfinished
    described = judge.manifest.json()
    broken = folders.create(folders.root(root), "judge", **described | {"status": "failed"})
    assert metric.prepare(digits, Access(), root).classifier == str(judge.path)
    # newer and finished, on other data
    broken.update(status="finished", data={**described["data"], "fingerprint": "0"})
    assert metric.prepare(digits, Access(), root).classifier == str(judge.path)


@pytest.mark.backend_free
def test_where_there_is_none_it_is_trained_first(tmp_path, source, digits):
    said = []
    metric = metrics.Recognition(classifier=str(source), samples=10)
    ready = metric.prepare(digits, Access(say=said.append), str(tmp_path))
    assert said[0].startswith("training judge first: the classifier that judges what is made, kept")
    assert folders.all_runs(tmp_path) == []  # it is nobody's newest run
    [run] = folders.all_runs(tmp_path / "judges")
    assert run.status == "finished" and ready.classifier == str(run.path)
    again = metric.prepare(digits, Access(say=said.append), str(tmp_path))
    assert again.classifier == ready.classifier and len(said) == 1


@pytest.mark.backend_free
def test_a_pretrained_one_needs_no_data_of_its_recipe(tmp_path, monkeypatch):
    def missing(dataset, access):
        raise ZooError("CIFAR-10 is not on this machine")

    monkeypatch.setattr(judges.loading, "load", missing)
    pack = pretrained.find("classifier_cifar10").path
    spec = zoo.DataSpec((32, 32, 3), 10)
    found = judges.run_of("classifier_cifar10", spec, Access(), str(tmp_path))
    assert found.path == pack
    with pytest.raises(ZooError, match="is for cifar10_jpeg, 32 x 32 x 3"):
        spec = zoo.DataSpec((28, 28, 1), 10)
        judges.run_of("classifier_cifar10", spec, Access(), str(tmp_path))


@pytest.mark.backend_free
def test_one_that_cannot_be_trained_is_told(tmp_path, digits):
    path = tmp_path / "broken.py"
    path.write_text(RECIPE.replace("1e-2", "float('nan')"))
    with pytest.raises(RunFailed, match="training the classifier broken failed, with exit status"):
        metrics.Recognition(classifier=str(path)).prepare(digits, Access(), str(tmp_path))


def test_a_classifier_of_other_data_is_one_sentence(judge, source):
    wide = Digits(size=16).load(Access())
    for classifier in (str(judge.path), str(source)):
        with pytest.raises(ZooError, match=r"is for digits, 8 x 8 x 1 .* 16 x 16 x 1 .*: name ano"):
            metrics.LabelKept(classifier=classifier).prepare(wide, Access(), None)


def test_what_is_no_classifier_does_not_judge(tmp_path, digits):
    vae = zoo.Recipe(
        model=zoo.model("vae", latent_dim=2, units=(4,)),
        dataset=Digits(batch_size=1024),
        optimizers={"autoencoder": "adam"},
        epochs=1,
    )
    run = zoo.train(vae, runs_folder=str(tmp_path))
    with pytest.raises(
        ZooError, match="is no classifier: name one that zoo run classifier_mnist made"
    ):
        metrics.Recognition(classifier=str(run.path)).measure(None, digits, seed=0)


def test_a_model_is_judged_when_its_training_ends(judge, tmp_path, digits):
    vae = zoo.Recipe(
        model=zoo.model("vae", latent_dim=2, units=(8,)),
        dataset=Digits(batch_size=512),
        optimizers={"autoencoder": "adam"},
        metrics=[
            metrics.Recognition(classifier=str(judge.path), samples=50),
            metrics.LinearProbe(examples=200),
        ],
        epochs=1,
    )
    run = zoo.train(vae, runs_folder=str(tmp_path))
    found = run.read_json("results.json")["metrics"]
    assert 0 <= found["recognition"]["value"] <= 1
    assert judge.name in found["recognition"]["protocol"]
    assert 0.5 < found["linear_probe"]["details"]["on_data"] <= 1
    assert {"sample", "encode"} <= set(run.manifest.abilities)
