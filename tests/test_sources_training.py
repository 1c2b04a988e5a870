"""Data with several named sources: trained on, resumed and checked."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

import zoo
from tests import resumable
from tests.translation import (
    PHOTO,
    SKETCH,
    UNPAIRED,
    CycleGAN,
    Drawings,
    HalfLabelled,
    Masked,
    Painter,
    Sorter,
    failed,
    pictures,
    recipe,
)
from zoo import callbacks
from zoo.datasets import Batches, Split
from zoo.engine import inference
from zoo.errors import ZooError
from zoo.plugin.model import DataSpec
from zoo.reports import views
from zoo.testing import parity
from zoo.training import chunks

QUIET = resumable.QUIET
STEPS = 8  # an epoch
FREE = pytest.mark.backend_free


def equal(one, other):
    same = [np.array_equal(one[key], other[key], equal_nan=True) for key in one]
    return one.keys() == other.keys() and all(same)


# --- training: an unpaired translation


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of the CycleGAN that was never stopped, told of every step."""
    grids = [callbacks.SampleGrid(n=4), callbacks.ReconstructionGrid(n=4)]
    every = callbacks.Checkpoint(every="1 step")
    of = recipe(callbacks=[every, *grids])
    return resumable.train(of, tmp_path_factory.mktemp("whole"))


def test_an_unpaired_translation_trains(trained):
    with trained.log.open() as file:
        header, *rows = (line.strip().split(",") for line in file)
    cycle = [float(row[header.index("generators/photo_cycle")]) for row in rows]
    assert cycle[1] < 0.8 * cycle[0]
    results = trained.read_json("results.json")
    assert np.isfinite(results["test"]["generators/sketch_cycle"])
    assert results["pictures"] == ["pictures/reconstructions.png"]  # it has no samples
    described = trained.manifest.data
    assert described.shape == list(PHOTO) and described.unpaired == ["sketch"]
    assert list(described.sources.items()) == [("photo", list(PHOTO)), ("sketch", list(SKETCH))]


def test_a_run_on_several_sources_loads(trained, tmp_path):
    path = tmp_path / "recipe.py"
    path.write_text("from tests.translation import recipe\n\nrecipe = recipe()\n")
    model = zoo.load(trained, recipe=path)
    assert model.data == UNPAIRED and list(model.data.sources) == ["photo", "sketch"]
    found = model.reconstruct(pictures(3, PHOTO, 0))
    assert found.shape == (3, *PHOTO) and 0 <= found.min() <= found.max() <= 1


@pytest.mark.once_in_short
@pytest.mark.parametrize("step", [3, STEPS, STEPS + 5])
def test_resumed_equals_uninterrupted(tmp_path, trained, step):
    run = resumable.stopped(recipe(), tmp_path, step)
    zoo.resume(run, recipe=recipe(), access=QUIET)
    assert equal(resumable.end(trained), resumable.end(run))


def test_steps_in_one_go_are_those_made_one_at_a_time(tmp_path, trained, monkeypatch):
    monkeypatch.setattr(chunks, "SECONDS", 10.0)
    lengths, took = [], chunks.Chunks.took

    def noted(self, chunk, seconds):
        lengths.append(chunk.steps)
        took(self, chunk, seconds)

    monkeypatch.setattr(chunks.Chunks, "took", noted)
    together = resumable.train(recipe(callbacks=[]), tmp_path)
    assert max(lengths) > 2 and sum(lengths) == 2 * STEPS
    assert equal(resumable.end(together), resumable.end(trained))


FIRST_STEPS = [11.102119, 12.252107, 8.182983, 7.234882, 7.741609]
FIRST_STEPS += [7.197455, 6.967967, 8.35773, 6.809494, 7.002412]
"""The loss of ten steps of the recipe, the last two of a second epoch, as PyTorch made them."""


def test_first_steps_are_the_same_on_every_backend(tmp_path):
    path = tmp_path / "recipe.py"
    path.write_text("from tests.translation import recipe\n\nrecipe = recipe()\n")
    request = {"recipe": str(path), "changes": [], "steps": 10}
    found = parity.record(request).trace["loss"]
    np.testing.assert_allclose(found, FIRST_STEPS, rtol=1e-4)


def test_repeated_moves_share_out_every_source():
    model = zoo.build(CycleGAN(repeats=2), UNPAIRED)
    x, rows = pictures(8, PHOTO, 0), pictures(8, SKETCH, 1)
    batch = model.batch_of(({"photo": x, "sketch": rows},))
    second = model._share(batch, 1)
    for name, tensor in (("photo", second.photo), ("sketch", second.sketch)):
        whole = ops.convert_to_numpy(batch.sources[name])
        np.testing.assert_array_equal(ops.convert_to_numpy(tensor), whole[1::2])
    model.compile(optimizers={player: "sgd" for player in model.players})
    history = model.fit({"photo": x, "sketch": rows}, batch_size=4, verbose=0).history
    assert np.isfinite(history["loss"]).all()


def test_a_view_of_a_batch_sees_every_source(monkeypatch):
    model = zoo.build(CycleGAN(), UNPAIRED)
    x, sketches = pictures(5, PHOTO, 0), pictures(5, SKETCH, 1)
    found = model.view("translations", {"photo": x, "sketch": sketches})
    shapes = {"sketched": (5, *SKETCH), "painted": (5, *PHOTO)}
    assert {name: rows.shape for name, rows in found.items()} == shapes
    as_network = model.networks["to_photo"](ops.cast(sketches, "float32") / 127.5 - 1)
    expected = ops.convert_to_numpy(as_network) / 2 + 0.5
    np.testing.assert_allclose(found["painted"], expected, atol=1e-5)
    monkeypatch.setattr(inference, "CHUNK", 2)  # the last of three chunks is filled up
    again = zoo.build(CycleGAN(), UNPAIRED).view("translations", {"photo": x, "sketch": sketches})
    np.testing.assert_allclose(again["sketched"], found["sketched"], atol=1e-5)
    split = Split(x, unpaired={"sketch": sketches[:3]})
    shown = views.own(model, "translations", split, 4)
    assert shown.numbers.shape == (3, *PHOTO) and shown.image is not None

    class Namesakes(CycleGAN):
        def translations(self, nets, batch):
            sketched, painted = super().translations(nets, batch).values()
            return {"sketch": sketched, "photo": painted}

    same = views.own(zoo.build(Namesakes(), UNPAIRED), "translations", split, 4)
    assert same.image.shape[0] == shown.image.shape[0]  # four rows: nothing takes another's place
    for given, said in (
        (x, "built for the sources photo and sketch: give them by name"),
        ({"photo": x, "sketch": sketches[:3]}, "view: 5 examples of photo and 3 examples of sk"),
    ):
        with pytest.raises(ZooError, match=said):
            model.view("translations", given)


# --- pairs, and labels that are missing


def test_pairs_stay_together(tmp_path):
    batches = Batches(Masked().load().train, 7, seed=3, shuffle=True)
    for item in (batches[i] for i in range(len(batches))):
        given = item[0]
        np.testing.assert_array_equal(given["mask"], (given["x"] > 127).astype("float32"))
    resumable.train(recipe(Painter(), Masked(batch_size=8)), tmp_path)


def test_a_model_learns_from_examples_with_a_label(tmp_path):
    metrics = [zoo.metrics.Accuracy()]
    of = recipe(Sorter(), HalfLabelled(batch_size=8), epochs=30, callbacks=[], metrics=metrics)
    run = resumable.train(of, tmp_path)
    measured = run.read_json("results.json")["metrics"]["accuracy"]
    assert measured["value"] >= 0.8 and measured["protocol"].startswith("half labelled: 5 test")


def test_a_conditional_model_is_given_missing_labels():
    conditional = dataclasses.replace(zoo.model("vae", latent_dim=2, units=(8,), conditional=True))
    with pytest.raises(ZooError, match="VAE takes no missing labels"):
        zoo.build(conditional, HalfLabelled().load().spec)
    declared = HalfLabelled().load().spec
    for spec, accepted in (
        (declared, True),
        (dataclasses.replace(declared, missing_labels=False), 0),
    ):
        model = zoo.build(Conditional(), spec)
        x, labels = pictures(2, SKETCH, 0), [-1, 1]
        if accepted:
            assert model.reconstruct(x, labels=labels).shape == (2, *SKETCH)
        else:
            with pytest.raises(ZooError, match="label -1; labels are integers from 0 to 1"):
                model.reconstruct(x, labels=labels)


class Conditional(Sorter):
    conditional = True

    def reconstruct(self, nets, x, labels=None):
        return x * ops.cast(labels, "float32")[:, None, None, None]


# --- the checks


@pytest.mark.once_in_short
@pytest.mark.parametrize(
    "plugin", [CycleGAN(), Painter(), Sorter()], ids=lambda p: type(p).__name__
)
def test_models_of_several_sources_pass_the_checks(plugin, full):
    some = ["builds", "every_source_counts", "missing_labels_leave_terms_finite"]
    some += ["builds_without_labels", "trains_on_a_batch_of_one_and_a_ragged_last_batch"]
    every = full or keras.backend.backend() == "torch"
    assert failed(plugin, () if every else some) == {}


@FREE
@pytest.mark.parametrize("plugin", [Drawings(), Masked(), HalfLabelled()])
def test_datasets_of_several_sources_pass_the_checks(plugin):
    assert failed(plugin) == {}


@FREE
@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("labels_are_classes", {"spec": DataSpec(SKETCH, 2)}),
        ("sources_are_as_the_spec_says", {"spec": DataSpec(SKETCH, 2, {"a": SKETCH, "b": SKETCH})}),
    ],
)
def test_a_spec_that_does_not_fit_its_data_is_found(check, change):
    class Wrong(HalfLabelled):
        def load(self, access=None):
            return dataclasses.replace(super().load(), **change)

    assert check in failed(Wrong(), [check])
