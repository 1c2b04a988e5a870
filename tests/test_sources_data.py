"""Data with several named sources: batches, arrays in files, datasets side by side."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

import zoo
from tests import resumable
from tests.manifests import manifest
from tests.translation import PHOTO, SKETCH, Drawings, failed, pictures, recipe
from zoo import datasets
from zoo.datasets import Access, Arrays, Batches, Split
from zoo.errors import ZooError
from zoo.plugin import serialization
from zoo.plugin.model import DataSpec
from zoo.runs import results
from zoo.runs.manifest import parse
from zoo.training import dry_run

QUIET = resumable.QUIET
FREE = pytest.mark.backend_free


# --- the pipeline


@FREE
def test_an_unpaired_source_has_an_order_of_its_own():
    split = Split(np.arange(20.0)[:, None], unpaired={"other": np.arange(7.0)[:, None]})

    def epoch(number, seed=0):
        batches = Batches(split, 3, seed=seed, shuffle=True)
        batches.epoch = number
        return np.concatenate([batches[i][0]["other"][:, 0] for i in range(len(batches))])

    first = epoch(0)
    assert len(first) == 20  # as many as there are of the first source
    for turn in (first[:7], first[7:14]):
        assert sorted(turn) == list(range(7))  # every row once before any comes again
    orders = [first[:7], first[7:14], epoch(1)[:7], epoch(0, seed=1)[:7]]
    assert len({tuple(order) for order in orders}) == 4
    alone = Batches(Split(split.x), 3, seed=0, shuffle=True)
    both = Batches(split, 3, seed=0, shuffle=True)
    np.testing.assert_array_equal(both[2][0]["x"], alone[2][0])  # which it leaves as they were


@FREE
def test_any_batch_is_a_function_of_seed_epoch_and_index():
    split = Drawings().load().train
    through = Batches(split, 4, seed=5, shuffle=True)
    for epoch in range(2):
        through.epoch = epoch
        for i in range(len(through)):
            there = Batches(split, 4, seed=5, shuffle=True)
            there.epoch = epoch
            for name, array in through[i][0].items():
                np.testing.assert_array_equal(array, there[i][0][name])


@FREE
def test_without_shuffling_rows_come_in_turn():
    split = Split(np.zeros((5, 1)), unpaired={"other": np.arange(2)[:, None]})
    batches = Batches(split, 3, seed=0)
    found = [batches[i][0]["other"][:, 0].tolist() for i in range(2)]
    assert found == [[0, 1, 0], [1, 0]]


@FREE
def test_splits_are_cut_with_their_sources():
    x = np.arange(6.0)[:, None]
    split = Split(x, paired={"twin": -x}, unpaired={"other": x[:4]})
    few, some = split.first(2), split.take(np.array([5, 0]))
    assert few.paired["twin"].tolist() == [[0], [-1]] and len(few.unpaired["other"]) == 2
    assert some.paired["twin"].tolist() == [[-5], [0]] and len(some.unpaired["other"]) == 4
    with pytest.raises(ZooError, match="6 examples but 5 rows of the paired source 'twin'"):
        Split(x, paired={"twin": x[:5]})
    with pytest.raises(ZooError, match="6 examples and none of the source 'other'"):
        Split(x, unpaired={"other": x[:0]})


@FREE
@pytest.mark.parametrize("part", ["paired", "unpaired"])
def test_values_that_are_not_finite_are_found_in_every_source(part):
    data = Drawings().load()
    bad = np.zeros((30, *SKETCH), "float32")
    bad[3] = np.nan
    train = Split(data.train.x, **{part: {"sketch": bad}})
    unpaired = ("sketch",) if part == "unpaired" else ()
    spec = dataclasses.replace(data.spec, unpaired=unpaired)
    with pytest.raises(ZooError, match="drawings, train, sketch: row 3 holds nan"):
        dataclasses.replace(data, train=train, spec=spec).check()


@FREE
def test_other_sources_are_other_data():
    data = Drawings().load()
    again = dataclasses.replace(data, fingerprint="")
    assert again.fingerprint == data.fingerprint
    other = Split(data.train.x, unpaired={"sketch": data.train.unpaired["sketch"][::-1]})
    assert dataclasses.replace(data, train=other, fingerprint="").fingerprint != data.fingerprint


# --- arrays in NumPy's files


@pytest.fixture
def archive(tmp_path):
    """Writes arrays, and loads them with settings."""

    def made(settings, **arrays):
        np.savez(tmp_path / "a.npz", **arrays)
        loaded = Arrays("a.npz", **settings).load(Access(data_dir=tmp_path, say=lambda line: None))
        loaded.check()
        return loaded

    return made


@FREE
def test_arrays_hold_pairs(archive):
    x = pictures(40, PHOTO, 0)
    y = np.arange(40) % 2
    mask = x.mean(axis=3, keepdims=True).astype("float32")
    data = archive({"sources": ("image", "mask")}, image=x, mask=mask, y=y)
    assert data.spec == DataSpec(PHOTO, 2, {"image": PHOTO, "mask": SKETCH})
    assert list(data.spec.sources) == ["image", "mask"]
    for split in (data.train, data.validation, data.test):
        np.testing.assert_allclose(split.paired["mask"][..., 0], split.x.mean(axis=3), rtol=1e-5)


@FREE
def test_arrays_hold_out_of_every_unpaired_source(archive):
    photo, sketch = np.arange(40.0)[:, None], np.arange(20.0)[:, None]
    settings = {"sources": ("photo", "sketch"), "unpaired": ("sketch",), "validation": 0.2}
    data = archive(settings, photo=photo, sketch=sketch)
    splits = (data.train, data.validation, data.test)
    assert [len(split) for split in splits] == [28, 8, 4]
    rows = [split.unpaired["sketch"][:, 0] for split in splits]
    assert [len(own) for own in rows] == [14, 4, 2]
    assert sorted(np.concatenate(rows)) == list(range(20))


@FREE
def test_arrays_with_missing_labels(archive):
    x, y = np.arange(40.0)[:, None], np.arange(40) % 3 - 1
    data = archive({"missing_labels": True}, x=x, y=y)
    assert data.spec == DataSpec((1,), 2, missing_labels=True) and data.train.y.min() == -1
    with pytest.raises(ZooError, match=r"row 0 has the label -1; .* DataSpec\(missing_labels=True"):
        archive({}, x=x, y=y)
    with pytest.raises(ZooError, match="row 0 has the label -2"):
        archive({"missing_labels": True}, x=x, y=y - 1)


@FREE
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"sources": ("photo", "sketch")}, "beside those of photo it needs sketch_train$"),
        ({"sources": ("drawing", "photo")}, "it needs drawing_train, or drawing$"),
        ({"sources": ("photo",), "unpaired": ("photo",)}, "no source beside the first"),
    ],
)
def test_arrays_refuse(archive, settings, said):
    with pytest.raises(ZooError, match=said):
        archive(settings, photo=pictures(9, PHOTO, 0))


# --- datasets side by side


@FREE
def test_datasets_side_by_side():
    settings = {"n": 40, "held_out": 10}
    points = {"moon": datasets.Moons(**settings), "ring": datasets.Ring(**settings)}
    data = datasets.Sources(points, batch_size=8).load(QUIET)
    data.check()
    assert data.spec == dataclasses.replace(
        points["moon"].load().spec, sources={"moon": (2,), "ring": (2,)}
    )
    np.testing.assert_array_equal(data.train.paired["ring"], points["ring"].load().train.x)
    fewer = points | {"ring": datasets.Ring(n=16, held_out=4)}
    with pytest.raises(ZooError, match=r"Sources, train: .* rows of the paired source 'ring'"):
        datasets.Sources(fewer).load(QUIET)
    data = datasets.Sources(fewer, unpaired=("ring",)).load(QUIET)
    data.check()
    assert len(data.train) == 40 and len(data.train.unpaired["ring"]) == 16


@FREE
@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ({}, "give datasets by name"),
        ({"photo": "photos"}, "photo is a dataset, such as .*, not 'photos'"),
        ({"photo": datasets.Digits(binarize="fixed")}, "photo cannot be binarized here"),
    ],
)
def test_datasets_side_by_side_are_checked(sources, said):
    with pytest.raises(ZooError, match=said):
        datasets.Sources(sources)


POINTS = {"n": 40, "held_out": 10}


@FREE
def test_datasets_side_by_side_are_settings():
    points = {"moon": datasets.Moons(**POINTS), "ring": datasets.Ring(**POINTS)}
    dataset = datasets.Sources(points, unpaired=("ring",))
    told = serialization.settings_of(dataset, "datasets")
    assert told["settings"]["sources"]["moon"]["class"] == "datasets:moons"
    again = serialization.create("datasets", told["name"], json.loads(json.dumps(told["settings"])))
    assert again == dataset
    shown = serialization.call_text(told["name"], told["settings"])
    assert shown.startswith("sources(batch_size=128, sources={'moon': moons(batch_size=")
    assert failed(dataset) == {}


@FREE
@pytest.mark.parametrize("part", ["model", "dataset"])
def test_settings_that_are_nested_without_end_are_refused(part):
    settings = {"sources": {"a": 1}}
    for _ in range(900):
        settings = {"sources": {"a": {"class": "datasets:sources", **settings}}}
    described = {"name": "sources", "class": "zoo.datasets.sources:Sources", "settings": settings}
    said = rf"run\.json: {part}\.settings is nested more than 20 levels deep"
    with pytest.raises(ZooError, match=said):
        parse(manifest(**{part: described}))


@dataclasses.dataclass(frozen=True)
class OwnDigits(datasets.Digits):
    """A dataset that is not registered."""


@pytest.mark.once_in_short
def test_a_run_on_datasets_side_by_side_needs_no_recipe(tmp_path):
    """Its manifest says what the data are; it needs the recipe where one of them is code."""

    def run_on(sketch):
        dataset = datasets.Sources({"photo": datasets.Digits(), "sketch": sketch}, batch_size=512)
        model = zoo.model("ae", latent_dim=2, units=(4,))
        of = recipe(model, dataset, epochs=1, callbacks=[])
        return resumable.train(of, tmp_path)

    run = run_on(datasets.Digits())
    assert list(results.data_of(run, QUIET).spec.sources) == ["photo", "sketch"]
    assert zoo.load(run).data.shape == (8, 8, 1)
    run = run_on(OwnDigits())
    with pytest.raises(ZooError, match=r"given by code of its recipe \(sources\.sketch\): name"):
        results.data_of(run, QUIET)


def test_a_dry_run_tells_of_the_sources():
    told = dry_run.describe(recipe(), QUIET).lines
    assert "source    sketch, 8 x 8 x 1: unpaired, 11 for training" in told
