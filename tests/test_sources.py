"""Data with several named sources: in the pipeline, in training, resumed, checked and refused."""

from __future__ import annotations

import dataclasses
import json

import keras
import numpy as np
import pytest
from keras import ops

import zoo
from tests import resumable
from tests.manifests import manifest
from tests.translation import (
    PHOTO,
    SKETCH,
    CycleGAN,
    Drawings,
    HalfLabelled,
    Masked,
    Painter,
    Sorter,
    pictures,
    recipe,
)
from zoo import callbacks, datasets
from zoo.datasets import Access, Arrays, Batches, Split
from zoo.engine import inference
from zoo.errors import CodeFailed, ZooError
from zoo.plugin import loading, registry, serialization
from zoo.plugin.model import Batch, DataSpec
from zoo.reports import views
from zoo.runs import results
from zoo.runs.manifest import parse
from zoo.testing import parity, run_checks
from zoo.training import chunks, dry_run

QUIET = resumable.QUIET
STEPS = 8  # an epoch
SOURCES = {"photo": PHOTO, "sketch": SKETCH}
PLAIN = DataSpec(PHOTO, 3)
PAIRED = DataSpec(sources=SOURCES)
UNPAIRED = DataSpec(sources=SOURCES, unpaired=("sketch",))
FREE = pytest.mark.backend_free


def equal(one, other):
    same = [np.array_equal(one[key], other[key], equal_nan=True) for key in one]
    return one.keys() == other.keys() and all(same)


def failed(plugin, only=()):
    return {result.check: result.reason for result in run_checks(plugin, only=only) if result.bad}


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


# --- what fit takes


def test_pictures_of_each_source_are_scaled():
    model = zoo.build(CycleGAN(), UNPAIRED)
    full = {"photo": np.full((2, *PHOTO), 255, "uint8"), "sketch": np.zeros((2, *SKETCH), "uint8")}
    batch = model.batch_of((full,))
    assert batch.x is batch.photo and float(ops.max(batch.photo)) == 1.0
    assert float(ops.max(batch.sketch)) == -1.0
    batch = model.batch_of(({**full, "sketch": np.full((2, *SKETCH), 0.5, "float32")},))
    assert float(ops.max(batch.sketch)) == 0.5


@pytest.mark.parametrize("names", [("x", "label"), ("image", "label"), ("image", "labels")])
def test_a_dict_is_taken_for_a_single_source_too(names):
    model = zoo.build(Sorter(), DataSpec(SKETCH, 2))
    x, y = pictures(4, SKETCH, 0), np.array([0, 1, 0, 1])
    batch = model.batch_of(dict(zip(names, (x, y), strict=True)))
    assert ops.convert_to_numpy(batch.labels).tolist() == [0, 1, 0, 1]
    model.compile(optimizers={"sorter": "sgd"})
    given = dict(zip(names, (x, y), strict=True))
    loss = model.fit(given, batch_size=2, shuffle=False, verbose=0).history["loss"]
    other = zoo.build(Sorter(), DataSpec(SKETCH, 2))
    other.compile(optimizers={"sorter": "sgd"})
    assert loss == other.fit(x, y, batch_size=2, shuffle=False, verbose=0).history["loss"]


def test_keras_hands_batches_through(tmp_path):
    model = zoo.build(CycleGAN(), UNPAIRED)
    model.compile(optimizers={player: "sgd" for player in model.players})
    batches = Batches(Drawings().load().train, 8, seed=0, shuffle=True)
    history = model.fit(batches, epochs=2, shuffle=False, verbose=0).history
    assert np.isfinite(history["generators/photo_cycle"]).all() and batches.epoch == 2
    assert np.isfinite(model.evaluate(batches, verbose=0, return_dict=True)["loss"])


X = np.zeros((2, *PHOTO), "uint8")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (X, r'built for the sources photo and sketch: give them by name.*fit\(\{"photo": \.\.\.'),
        ({"photo": X}, r"this batch has photo, with sketch missing\. It was built for the sour"),
        ({"photo": X, "sketches": X}, r"sketch missing; did you mean 'sketch'\? It was built"),
        ({"photo": X, "sketch": X[..., :1], "mask": X}, r"with mask unknown"),
        (
            {"photo": X, "sketch": X},
            r"built for sketch of shape \(8, 8, 1\); these have \(8, 8, 3\)",
        ),
    ],
)
def test_a_batch_with_other_sources_is_refused(given, said):
    model = zoo.build(CycleGAN(), UNPAIRED)
    with pytest.raises(ZooError, match=said):
        model.batch_of((given,))


@pytest.mark.once_in_short
def test_as_many_of_each_source_are_given_to_fit():
    model = zoo.build(CycleGAN(), UNPAIRED)
    model.compile(optimizers={player: "sgd" for player in model.players})
    given = {"photo": X, "sketch": X[:1, ..., :1]}
    said = "CycleGAN.{}: 2 examples of photo and 1 example of sketch; give as many of each"
    for method in (model.fit, model.evaluate, model.train_on_batch):
        with pytest.raises(ZooError, match=said.format(method.__name__)):
            method(given)
    enough = {"photo": X, "sketch": X[..., :1]}
    with pytest.raises(ZooError, match=said.format("fit, validation_data")):
        model.fit(enough, validation_data=given)


class Broken(datasets.Digits):
    """A dataset with a bug."""

    def load(self, access=None):
        return {}["images"]


@FREE
def test_a_bug_of_a_dataset_is_told_as_its_own(monkeypatch):
    said = r"^load of the dataset {} \(tests.test_sources:Broken{}, in .*test_sources.py\) raised "
    said += r"KeyError: 'images' \(test_sources.py, line \d+\)$"
    with pytest.raises(CodeFailed, match=said.format("Broken", "")):
        datasets.Sources({"photo": Broken()}).load(QUIET)
    record = registry.Record("datasets", "odd", "tests.test_sources:Broken", "odd-data", "1.0")
    monkeypatch.setattr(registry, "records", lambda kind: [record])
    of = " of the plugin odd-data 1.0"
    with pytest.raises(CodeFailed, match=said.format("'odd'", of)):
        loading.load(Broken(), QUIET)
    monkeypatch.setattr(datasets.Digits, "load", Broken.load)
    with pytest.raises(KeyError):  # a bug of the zoo's own
        loading.load(datasets.Digits(), QUIET)
    monkeypatch.setattr(Broken, "load", lambda self, access: None)
    with pytest.raises(ZooError, match=r"^load of the dataset .*\) gives Data, not None"):
        loading.load(Broken(), QUIET)


# --- mismatches, each one message


class Pairs(CycleGAN):
    unpaired = ()


class Both(CycleGAN):
    conditional = True


@pytest.mark.parametrize(
    ("model", "data", "said"),
    [
        (
            CycleGAN(),
            PLAIN,
            r"^CycleGAN needs the sources photo and sketch, and these data have one source without "
            r"a name\. Give data whose spec is DataSpec\(sources=\{\"photo\": \(8, 8, \.\.\.\), "
            r"\"sketch\": \(8, 8, \.\.\.\)\}, unpaired=\('sketch',\)\), such as "
            r"datasets\.Arrays\(PATH, sources=\('photo', 'sketch'\), unpaired=\('sketch',\)\)$",
        ),
        (
            CycleGAN(),
            DataSpec(sources={"photo": PHOTO, "drawing": SKETCH}),
            "and these data have photo and drawing",
        ),
        (
            CycleGAN(),
            DataSpec(sources={"sketch": SKETCH, "photo": PHOTO}),
            r"^CycleGAN needs photo first, because it is batch\.x, and these data have sketch and "
            r"photo in this order\. Name them in the order of the model, as in datasets\.Arr",
        ),
        (
            Pairs(),
            UNPAIRED,
            r"^Pairs needs pairs, row i of sketch for row i of photo, and these data have sketch "
            r"unpaired\. A model that needs none says unpaired = \('sketch',\)$",
        ),
        (
            Painter(),
            DataSpec(SKETCH, 2, missing_labels=True),
            r"^Painter takes no missing labels, .* missing_labels = True; Painter needs the "
            "sources picture and mask",
        ),
        (Both(), PLAIN.__class__(PHOTO), r"^Both is conditional, and these data have no labels; "),
    ],
)
def test_a_model_and_data_that_do_not_fit_are_told_in_one_message(model, data, said):
    with pytest.raises(ZooError, match=said):
        zoo.build(model, data)


def test_a_recipe_is_refused_before_anything_is_trained(tmp_path):
    with pytest.raises(ZooError, match="CycleGAN needs the sources photo and sketch"):
        resumable.train(recipe(dataset=datasets.Digits()), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_model_takes_data_with_more_sources_than_it_needs(tmp_path):
    vae = zoo.model("vae", latent_dim=2, units=(8,))
    of = recipe(vae, Drawings(batch_size=8), epochs=1, callbacks=[])
    assert np.isfinite(resumable.train(of, tmp_path).read_json("results.json")["test"]["loss"])


def test_a_source_that_was_not_declared_is_named():
    class Greedy(Painter):
        sources = ()

    with pytest.raises(ZooError, match=r"there is no batch\.picture\. This batch has x, labels; "):
        zoo.build(Greedy(), DataSpec(SKETCH))
    batch = Batch.of({"photo": X, "sketch": X}, None)
    with pytest.raises(
        ZooError, match=r"no batch\.sketsh; did you mean 'sketch'\?.* x, labels, ph"
    ):
        _ = batch.sketsh
    assert not hasattr(batch, "mask") and hasattr(batch, "sketch")


@FREE
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"sources": {"x": PHOTO}}, "'x' cannot name a source"),
        ({"sources": {"a-b": PHOTO}}, "'a-b' cannot name a source"),
        ({"sources": SOURCES, "unpaired": ("photo",)}, "no source beside the first; those are: sk"),
        ({"unpaired": ("a",)}, "unpaired names 'a', .* those are: none"),
        ({"shape": SKETCH, "sources": SOURCES}, r"shape is that of the first source, \(8, 8, 3\)"),
    ],
)
def test_specs_are_checked(settings, said):
    with pytest.raises(ZooError, match=said):
        DataSpec(**settings)


@FREE
def test_specs_survive_json():
    for spec in (PLAIN, PAIRED, UNPAIRED, DataSpec((2,), 3, missing_labels=True)):
        about = {"name": "vae", "class": "zoo_vae:VAE", "settings": {}}
        told = {"model": about, "data": serialization.described(spec)}
        again = serialization.rebuild(json.loads(json.dumps(told)))[1]
        assert again == spec and list(again.sources) == list(spec.sources)
        assert hash(again) == hash(spec)
    assert repr(PLAIN) == "DataSpec(shape=(8, 8, 3), classes=3)"


def test_saved_whole(tmp_path):
    vae = zoo.build(zoo.model("vae", latent_dim=2, units=(8,)), UNPAIRED)
    vae.save(tmp_path / "vae.keras")
    assert keras.saving.load_model(tmp_path / "vae.keras").data == UNPAIRED


@FREE
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"paired": {"sketch": 1}},
            r"paired sources beside the first are none, and .* holds sketch",
        ),
        ({"unpaired": {}}, r"unpaired sources beside the first are sketch, and .* holds none"),
    ],
)
def test_data_that_differ_from_their_spec_are_refused(changes, said):
    data = Drawings().load()
    arrays = {"paired": {"sketch": pictures(30, SKETCH, 0)}, "unpaired": {}}
    train = dataclasses.replace(data.train, **{name: arrays[name] for name in changes})
    with pytest.raises(ZooError, match=said):
        dataclasses.replace(data, train=train).check()


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
