"""A tiny recipe becomes a run: its folder, its numbers, and what happens when it breaks."""

from __future__ import annotations

import csv
import dataclasses
import json
import math

import keras
import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import zoo
from zoo import callbacks, datasets, metrics
from zoo.datasets import Access, Data
from zoo.errors import RunFailed, ZooError
from zoo.reports import pictures, views
from zoo.training import evaluation
from zoo.training.experiment import prepare

QUIET = Access(say=lambda line: None)


@dataclasses.dataclass(frozen=True)
class Few(datasets.Digits):
    """The first 200 digits, 100 for validation and 100 for test."""

    name: str = "digits"

    def load(self, access=QUIET):
        data = super().load(access)
        parts = (data.train.first(200), data.validation.first(100), data.test.first(100))
        return Data(self.name, data.spec, *parts)


def tiny(**changes):
    settings = {
        "model": zoo.model("vae", latent_dim=2, units=(8,)),
        "dataset": Few(batch_size=64, binarize="dynamic"),
        "optimizers": {"autoencoder": keras.optimizers.Adam(1e-2)},
        "epochs": 2,
    }
    return zoo.Recipe(**(settings | changes))


def train(recipe, folder, **options):
    return zoo.train(recipe, runs_folder=str(folder), access=QUIET, **options)


@pytest.fixture(scope="module")
def said():
    return []


@pytest.fixture(scope="module")
def run(tmp_path_factory, said):
    """A run with everything, on data that stand in for others."""
    folder = tmp_path_factory.mktemp("runs")
    source = folder / "source.py"
    source.write_bytes("# -*- coding: latin-1 -*-\n# für alle\n".encode("latin-1"))
    recipe = tiny(
        dataset=Few(batch_size=64, binarize="dynamic", name="digits (stand-in for mnist)"),
        callbacks=[
            callbacks.SampleGrid(n=4),
            callbacks.ReconstructionGrid(n=4),
            callbacks.TensorBoard(),
        ],
        metrics=[metrics.ELBO(), metrics.LogLikelihood(samples=30)],
        weights={"autoencoder": {"kl": 0.5}},
    )
    return train(recipe, folder / "all", name="tiny", source=source, say=said.append)


def history(run):
    with run.log.open() as file:
        return list(csv.DictReader(file))


# --- what a run leaves


@pytest.mark.once_in_short
def test_the_folder_holds_all(run):
    assert run.path.parent.name == "tiny"
    names = {path.relative_to(run.path).as_posix() for path in run.path.rglob("*")}
    assert {
        "run.json",
        "recipe.py",
        "results.json",
        "history.csv",
        "pictures/samples.png",
        "pictures/samples-epoch-0001.png",
        "pictures/samples-epoch-0002.png",
        "pictures/reconstructions.png",
    } <= names
    assert not [name for name in names if name.startswith(".")]
    assert any(path.name.startswith("events.") for path in run.events.iterdir())


@pytest.mark.once_in_short
def test_the_recipe_is_copied_as_it_is(run):
    assert b"f\xfcr alle" in run.recipe.read_bytes()


@pytest.mark.once_in_short
def test_the_manifest(run):
    manifest = run.manifest.json()
    assert manifest["status"] == "finished" and manifest["epoch"] == manifest["epochs"] == 2
    assert manifest["backend"] == keras.backend.backend()
    assert manifest["device"] in ("cpu", "gpu")
    assert manifest["seed"] == 0
    assert manifest["model"]["name"] == "vae"
    assert manifest["model"]["settings"]["units"] == [8]
    assert manifest["dataset"]["name"] is None  # it is of this file
    assert manifest["weights"] == {"autoencoder": {"kl": 0.5}}
    assert manifest["optimizers"]["autoencoder"]["class_name"] == "Adam"
    assert manifest["data"]["examples"] == {"train": 200, "validation": 100, "test": 100}
    assert manifest["data"]["shape"] == [8, 8, 1] and manifest["data"]["classes"] == 10
    assert len(manifest["data"]["fingerprint"]) == 64
    assert {"python", "keras", "numpy"} <= set(manifest["versions"])
    json.dumps(manifest, allow_nan=False)


@pytest.mark.once_in_short
def test_the_results(run):
    results = run.read_json("results.json")
    assert results["epochs"] == 2
    terms = {"loss", "autoencoder/kl", "autoencoder/reconstruction"}
    for split in ("train", "validation", "test"):
        assert set(results[split]) == terms
        found = results[split]
        weighted = found["autoencoder/reconstruction"] + 0.5 * found["autoencoder/kl"]
        assert found["loss"] == pytest.approx(weighted, rel=1e-4)
    elbo, bound = results["metrics"]["elbo"], results["metrics"]["log_likelihood"]
    assert elbo["unit"] == "nats"
    # the same examples and bits, other draws of z; and more samples bound more tightly
    terms = results["test"]["autoencoder/reconstruction"] + results["test"]["autoencoder/kl"]
    assert elbo["value"] == pytest.approx(-terms, abs=1)
    assert elbo["value"] < bound["value"] < 0
    assert "30 importance samples" in bound["protocol"]
    assert "binarized once from seed 0" in bound["protocol"]
    assert results["pictures"] == ["pictures/reconstructions.png", "pictures/samples.png"]


@pytest.mark.once_in_short
def test_the_history_has_every_term_of_every_epoch(run):
    rows = history(run)
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert {"loss", "val_loss", "autoencoder/kl", "val_autoencoder/kl"} <= set(rows[0])
    last = run.read_json("results.json")
    assert float(rows[1]["loss"]) == pytest.approx(last["train"]["loss"])
    assert float(rows[1]["val_loss"]) == pytest.approx(last["validation"]["loss"])


@pytest.mark.once_in_short
def test_the_events_are_read_back(run):
    events = EventAccumulator(str(run.events), size_guidance={"images": 0})
    events.Reload()
    scalars = events.Tags()["scalars"]
    validation = EventAccumulator(str(run.events / "validation")).Reload()
    for tag in ("loss", "autoencoder/kl", "autoencoder/reconstruction"):
        assert [event.step for event in events.Scalars(tag)] == [*range(1, 9)]
        assert [event.step for event in validation.Scalars(tag)] == [4, 8]
    rows = history(run)
    written = [event.value for event in validation.Scalars("loss")]
    assert written == pytest.approx([float(row["val_loss"]) for row in rows])
    assert np.mean([event.value for event in events.Scalars("loss")[:4]]) == pytest.approx(
        float(rows[0]["loss"]), rel=1e-2
    )
    rates = [event.value for event in events.Scalars("learning_rate/autoencoder")]
    assert rates == pytest.approx([1e-2] * 8)
    assert "speed/examples_per_second" in scalars
    for kind in ("samples", "reconstructions"):
        assert len(events.Images(kind)) == 2
    [text] = events.Tensors("recipe/text_summary")
    assert "für alle" in text.tensor_proto.string_val[0].decode()


@pytest.mark.once_in_short
def test_data_that_stand_in_are_named_everywhere(run):
    name = "digits (stand-in for mnist)"
    assert run.manifest.data.name == name
    results = run.read_json("results.json")
    assert results["data"] == name
    for measured in results["metrics"].values():
        assert measured["protocol"].startswith(f"{name}: ")
    for picture in run.pictures.glob("*.png"):
        with Image.open(picture) as image:
            assert image.info["data"] == name


# --- what training does


def test_one_seed_is_one_experiment(tmp_path):
    """Also for one recipe object, whose optimizers start from the beginning each time."""
    recipe, other = tiny(epochs=1, seed=7), tiny(epochs=1, seed=8)
    results = [train(r, tmp_path).read_json("results.json") for r in (recipe, recipe, other)]
    for split in ("train", "validation", "test"):
        assert results[0][split] == pytest.approx(results[1][split], rel=1e-6)
        assert results[0][split]["loss"] != pytest.approx(results[2][split]["loss"], rel=1e-4)


@pytest.mark.once_in_short
def test_no_test_example_is_trained_on(tmp_path):
    """Training is the same whatever the test set holds, and its rows are training rows."""

    class Changed(Few):
        def load(self, access=QUIET):
            data = super().load(access)
            return dataclasses.replace(
                data,
                test=datasets.Split(255 - data.test.x, data.test.y),
                validation=datasets.Split(255 - data.validation.x, data.validation.y),
            )

    plain, changed = (
        train(tiny(dataset=kind(batch_size=64), epochs=1), tmp_path) for kind in (Few, Changed)
    )
    terms = [run.read_json("results.json") for run in (plain, changed)]
    assert terms[0]["train"] == pytest.approx(terms[1]["train"], rel=1e-6)
    assert terms[0]["test"]["loss"] != pytest.approx(terms[1]["test"]["loss"], rel=1e-3)

    experiment = prepare(tiny(dataset=Few(batch_size=64)), QUIET)
    seen = np.concatenate([experiment.batches[i][0] for i in range(len(experiment.batches))])
    rows = {row.tobytes() for row in experiment.data.train.x}
    assert len(seen) == 200 and {row.tobytes() for row in seen} == rows


@pytest.mark.once_in_short
def test_dynamic_binarization_is_drawn_anew_for_training_only():
    experiment = prepare(tiny(), QUIET)
    for split in (experiment.validation, experiment.test):
        assert set(np.unique(split.x)) == {0, 255}
    batches, gray = experiment.batches, experiment.data.train.x
    assert len(np.unique(gray)) > 2
    drawn = []
    for epoch in (0, 1):
        batches.epoch = epoch
        x = np.concatenate([batches[i][0] for i in range(len(batches))])
        assert set(np.unique(x)) == {0, 255}
        assert x.mean() == pytest.approx(gray.mean(), rel=0.02)
        drawn.append(x.sum(axis=0))
    assert (drawn[0] != drawn[1]).any()


@pytest.mark.once_in_short
def test_fixed_binarization_is_drawn_once():
    experiment = prepare(tiny(dataset=Few(batch_size=64, binarize="fixed")), QUIET)
    batches = experiment.batches
    drawn = []
    for epoch in (0, 1):
        batches.epoch = epoch
        x = np.concatenate([batches[i][0] for i in range(len(batches))])
        assert set(np.unique(x)) == {0, 255}
        drawn.append(sorted(row.tobytes() for row in x))
    assert drawn[0] == drawn[1]


@pytest.mark.once_in_short
def test_results_do_not_depend_on_the_batches_of_evaluation(tmp_path, monkeypatch):
    results = []
    for size in (evaluation.BATCH, 33):
        monkeypatch.setattr(evaluation, "BATCH", size)
        run = train(tiny(epochs=1, metrics=[metrics.ELBO()]), tmp_path)
        results.append(run.read_json("results.json"))
    assert results[0]["test"] == pytest.approx(results[1]["test"], rel=1e-5)
    assert results[0]["metrics"] == results[1]["metrics"]


def test_averages_are_what_is_validated_and_kept(tmp_path):
    """With momentum near 1 the averages hardly leave the first step's weights."""
    still = train(tiny(ema=0.9999, epochs=3), tmp_path)
    first, *_, last = history(still)
    assert float(last["loss"]) < float(first["loss"]) - 1
    assert float(last["val_loss"]) == pytest.approx(float(first["val_loss"]), abs=0.2)
    results = still.read_json("results.json")
    assert results["test"]["loss"] > results["train"]["loss"] + 1
    follow = train(tiny(ema=0.0, epochs=3), tmp_path)
    plain = train(tiny(epochs=3), tmp_path)
    rows = history(plain)
    assert float(rows[-1]["val_loss"]) < float(rows[0]["val_loss"]) - 1  # it learns
    ends = [run.read_json("results.json")["test"] for run in (follow, plain)]
    assert ends[0] == pytest.approx(ends[1], rel=1e-4)


def test_precision_lasts_no_longer_than_its_model(tmp_path):
    before = keras.config.dtype_policy().name
    experiment = prepare(tiny(precision="mixed_bfloat16"), QUIET)
    layers = experiment.model.networks["encoder"].layers
    assert {layer.compute_dtype for layer in layers if layer.weights} == {"bfloat16"}
    assert keras.config.dtype_policy().name == before


# --- what is refused, and what breaks


@pytest.mark.once_in_short
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": {"autoencoder": {"kll": 2}}}, r"unknown term 'kll'; did you mean 'kl'\?"),
        ({"weights": {"autoencodr": {"kl": 2}}}, r"'autoencodr'; did you mean 'autoencoder'\?"),
        ({"networks": {"encodr": lambda d, m: None}}, r"'encodr'; did you mean 'encoder'\?"),
        ({"optimizers": {"autoencoder": "adma"}}, "optimizer of 'autoencoder' is 'adma'"),
        ({"optimizers": {"autoencoder": 0.1}}, r"optimizer of 'autoencoder' is 0\.1"),
        ({"model": zoo.model("dcgan")}, "player"),
    ],
)
def test_a_mistake_is_told_before_anything_is_made(tmp_path, changes, message):
    with pytest.raises(ZooError, match=message):
        train(tiny(**changes), tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


@pytest.mark.once_in_short
def test_a_metric_that_the_model_cannot_be_measured_by(tmp_path):
    gan = tiny(
        model=zoo.model("dcgan", filters=2),
        optimizers={"generator": "adam", "discriminator": "adam"},
        dataset=Few(batch_size=64, size=16),
        metrics=[metrics.ELBO()],
    )
    with pytest.raises(ZooError, match="metric 'elbo' needs a model that can log_likelihood"):
        train(gan, tmp_path)


def test_a_loss_that_is_not_finite_ends_the_run(tmp_path):
    """Its rate grows a thousandfold an epoch; the weights of the last good epoch are kept."""

    def rate(epoch, rate):
        return 1e-3 if epoch == 0 else 1e30

    begun = []
    recipe = tiny(epochs=5, callbacks=[keras.callbacks.LearningRateScheduler(rate)])
    message = r"of player autoencoder .* are not finite at step \d of epoch \d\. .*checkpoint-0"
    with pytest.raises(RunFailed, match=message):
        train(recipe, tmp_path, begun=begun.append)
    [run] = begun
    assert run.status == "failed"
    assert 1 <= run.manifest.epoch < 5
    assert not (run.path / "results.json").exists()
    model = zoo.load(run)
    assert all(np.isfinite(keras.ops.convert_to_numpy(w)).all() for w in model.trainable_variables)


@pytest.mark.once_in_short
def test_a_loss_that_is_never_finite_leaves_no_weights(tmp_path):
    begun = []
    message = r"loss is not finite at step 1 of epoch 1\. There is no checkpoint yet"
    with pytest.raises(RunFailed, match=message):
        train(tiny(weights={"autoencoder": {"kl": math.nan}}), tmp_path, begun=begun.append)
    assert not begun[0].checkpoints.exists()
    with pytest.raises(ZooError, match=r"has no weights \(status: failed\)"):
        zoo.load(begun[0])


class Breaks(keras.callbacks.Callback):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise self.error


@pytest.mark.once_in_short
@pytest.mark.parametrize(
    ("error", "status"),
    [(RuntimeError("broken"), "failed"), (KeyboardInterrupt(), "interrupted")],
)
def test_a_broken_run_says_so_and_keeps_its_weights(tmp_path, error, status):
    begun = []
    with pytest.raises(type(error)):
        train(tiny(epochs=3, callbacks=[Breaks(error)]), tmp_path, begun=begun.append)
    assert begun[0].status == status
    assert begun[0].manifest.epoch == 2
    assert zoo.load(begun[0]).sample(2).shape == (2, 8, 8, 1)


@pytest.mark.once_in_short
def test_a_folder_that_cannot_be_written_is_told_before_training(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ZooError, match=r"cannot write .*--runs"):
        train(tiny(), tmp_path / "file")


@pytest.mark.once_in_short
def test_learning_rates_are_no_results(tmp_path):
    callbacks = [keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate)]
    run = train(tiny(callbacks=callbacks), tmp_path)
    results = run.read_json("results.json")
    assert set(results["train"]) == {"loss", "autoencoder/kl", "autoencoder/reconstruction"}


@pytest.mark.once_in_short
def test_pictures_of_a_run_have_the_names_of_its_classes(tmp_path, monkeypatch):
    """The model knows them in training, and again when its run is loaded."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (40, 8, 8, 1), dtype=np.uint8)
    np.savez(tmp_path / "own.npz", x=x, y=np.array(["dog", "cat"] * 20))
    drawn = []
    framed, by_label = pictures.framed, pictures.by_label
    monkeypatch.setattr(
        pictures, "framed", lambda *a, **o: (drawn.append(o.get("columns")), framed(*a, **o))[1]
    )
    monkeypatch.setattr(
        pictures, "by_label", lambda *a, **o: (drawn.append(o["names"]), by_label(*a, **o))[1]
    )
    recipe = tiny(
        model=zoo.model("vae", latent_dim=2, units=(8,), conditional=True),
        dataset=datasets.Arrays(tmp_path / "own.npz", validation=0.2, test=0.2),
        callbacks=[callbacks.SampleGrid(n=4), callbacks.LatentScatter(n=8)],
        epochs=1,
    )
    run = train(recipe, tmp_path / "runs")
    assert drawn == [["cat", "dog"], ("cat", "dog")]
    model = zoo.load(run)
    assert model.class_names == ("cat", "dog")
    assert views.label_of(model, "dog") == views.label_of(model, "1") == 1
    with pytest.raises(ZooError, match="unknown class 'dgo'; did you mean 'dog'"):
        views.label_of(model, "dgo")
