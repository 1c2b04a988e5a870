"""What enters by ``fit``, ``evaluate`` and abilities is held to the rules of datasets."""

from __future__ import annotations

import functools

import keras
import numpy as np
import pytest
from keras import layers, ops

import zoo
from zoo.errors import ZooError

N = 6
Y = np.array([0, 1, 2, 0, 1, 2])
X = np.random.default_rng(0).integers(0, 256, (N, 4, 4, 1), "uint8")
LATER = np.concatenate([Y[:5], [7]])

ONCE = pytest.mark.once_in_short


class Told(zoo.Model):
    """Keeps the mean label as a term, and has every ability that takes examples."""

    conditional = True

    def networks(self, data):
        flat = [keras.Input(data.shape), layers.Flatten(), layers.Dense(2)]
        return {"net": keras.Sequential(flat)}

    def players(self):
        return {"player": ("net",)}

    def moves(self):
        return [self.learn]

    def learn(self, nets, batch, rng):
        seen = ops.cast(batch.labels, "float32")
        size = ops.mean(ops.square(nets.net(batch.x)), axis=1)
        return {"player": {"label": seen, "size": size}}

    def encode(self, nets, x, labels=None):
        return nets.net(x) * 0 + ops.cast(labels, "float32")[:, None]

    def reconstruct(self, nets, x, labels=None):
        return x + ops.cast(labels, "float32")[:, None, None, None] * 0

    def log_likelihood(self, nets, x, rng, samples=1, labels=None):
        return ops.sum(nets.net(x), axis=1)


class Signed(Told):
    value_range = (-1.0, 1.0)
    conditional = False

    def learn(self, nets, batch, rng):
        return {"player": {"size": ops.mean(ops.square(nets.net(batch.x)), axis=1)}}

    def classify(self, nets, x):
        return ops.softmax(nets.net(x))

    def encode(self, nets, x):
        return nets.net(x)


class Half(Told):
    missing_labels = True


def made(plugin=Told, shape=(4, 4, 1), **options):
    missing = options.pop("missing_labels", False)
    classes = 0 if plugin is Signed else 3
    model = zoo.build(plugin(), zoo.DataSpec(shape, classes, missing_labels=missing))
    model.compile(optimizers={"player": "sgd"}, **options)
    return model


def batches(x, y):
    yield x, y
    yield x, y


class Items(keras.utils.PyDataset):
    def __init__(self, x, y):
        super().__init__()
        self.batch = (x, y)
        self.read = 0

    def __len__(self):
        return 2

    def __getitem__(self, index):
        self.read += 1
        return self.batch


WAYS = {
    "fit": lambda m, x, y: m.fit(x, y, verbose=0),
    "fit a dict": lambda m, x, y: m.fit({"image": x, "label": y}, verbose=0),
    "fit a generator": lambda m, x, y: m.fit(batches(x, y), verbose=0),
    "fit a dataset": lambda m, x, y: m.fit(Items(x, y), verbose=0),
    "validation": lambda m, x, y: m.fit(X, Y, verbose=0, validation_data=(x, y)),
    "evaluate": lambda m, x, y: m.evaluate(x, y, verbose=0),
    "evaluate a generator": lambda m, x, y: m.evaluate(batches(x, y), verbose=0),
    "train_on_batch": lambda m, x, y: m.train_on_batch(x, y),
    "test_on_batch": lambda m, x, y: m.test_on_batch(x, y),
    "encode": lambda m, x, y: m.encode(x, labels=y),
    "encode a dict": lambda m, x, y: m.encode({"image": x, "label": y}),
    "reconstruct": lambda m, x, y: m.reconstruct(x, labels=y),
    "log_likelihood": lambda m, x, y: m.log_likelihood(x, labels=y),
}
ABILITIES = ("encode", "encode a dict", "reconstruct", "log_likelihood")


@functools.cache
def model():
    """One that what is refused never trains."""
    return made()


@ONCE
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("y", "said"),
    [
        (LATER, r"row 5 has the label 7; labels are integers from 0 to 2\. .*np\.unique"),
        (Y - 1, r"row 0 has the label -1; .*DataSpec\(missing_labels=True\)"),
        (Y + np.array([0, 2**32, 0, 0, 0, 0]), "row 1 has the label 4294967297"),
        (
            (Y.astype("uint64") + np.array([0, 0, 2**63, 0, 0, 0], "uint64")),
            "row 2 has the label 92233720368547758",
        ),
        (Y + 0.5, r"labels are integers from 0, not float64: y\.astype\('int32'\)"),
        (np.array(list("abcabc")), r"not text\. .*np\.unique\(y, return_inverse=True\)\[1\]"),
        (np.eye(5)[Y], "one-hot labels have 3 columns, one per class; these have 5"),
        (np.full((N, 3), 1 / 3), "one-hot, a single 1 in each row of 0"),
        (np.array([0, 1, None, 0, 1, 2]), r"row \d has the label (0|None)"),
        (X[..., 0], r"labels are \(n,\), \(n, 1\) or one-hot"),
    ],
)
def test_what_is_no_label_is_refused_at_every_door(way, y, said):
    with pytest.raises(ZooError, match=rf"^Told\.[a-z_, ]+: .*({said})"):
        WAYS[way](model(), X, y)


@ONCE
@pytest.mark.parametrize("way", ["fit", "evaluate", "train_on_batch", "encode", "reconstruct"])
def test_a_conditional_model_needs_labels_at_every_door(way):
    with pytest.raises(ZooError, match=r"^Told is conditional: to [a-z_]+, give labels too"):
        WAYS[way](model(), X, None)


@pytest.mark.parametrize(
    "y",
    [Y, Y.astype("uint64"), Y[:, None], np.eye(3)[Y], np.eye(3, dtype=bool)[Y], Y.tolist()],
    ids=["int64", "uint64", "column", "one-hot", "one-hot of booleans", "list"],
)
def test_labels_in_every_form_are_the_same_labels(y):
    one, inside = made(), np.asarray(y)
    if inside.dtype == "uint64":  # of batches, Keras on PyTorch takes no such type
        inside = inside.astype("int64")
    logs = [
        one.evaluate(X, y, verbose=0, return_dict=True),
        one.test_on_batch(X, y, return_dict=True),
        one.evaluate(batches(X, inside), verbose=0, return_dict=True),
        one.evaluate(Items(X, inside), verbose=0, return_dict=True),
    ]
    assert [own["player/label"] for own in logs] == [1.0] * 4
    for given in (one.encode(X, labels=y), one.encode({"image": X, "label": y})):
        np.testing.assert_array_equal(given[:, 0], Y)


def test_missing_labels_where_they_are_declared():
    y = np.array([-1, 1, 2, -1, 1, 2])
    half = made(Half, missing_labels=True)
    logs = half.evaluate(X, y, verbose=0, return_dict=True)
    assert logs["player/label"] == pytest.approx(4 / 6)
    with pytest.raises(ZooError, match="row 0 has the label -2"):
        half.fit(X, y - 1, verbose=0)


@ONCE
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("x", "said"),
    [
        (X.astype("int64"), r"examples are int64 in \d+ to \d+; .*x\.astype\('uint8'\), others by"),
        (X.astype("float64"), r"row \d holds 2[0-9]+; pictures are uint8 .*x\.astype\('uint8'\)"),
        (X / 255 * 2 - 1, r"holds -[01].*float32 in \[0, 1\]\. .*by \(x \+ 1\) / 2"),
        (X / 255 + 0.5, r"holds 1\.[0-9]+; .*np\.clip\(x, 0, 1\)"),
        (np.full(X.shape, np.nan), r"row 0 holds nan at \[0, 0, 0\]; examples are finite"),
        (np.full(X.shape, 1e300), "row 0 holds inf"),
        (np.full(X.shape, "1"), "examples are numbers, not <U1"),
    ],
)
def test_what_is_no_picture_is_refused_at_every_door(way, x, said):
    with pytest.raises(ZooError, match=rf"^Told\.[a-z_, ]+: .*({said})"):
        WAYS[way](model(), x, Y)


def test_floats_are_in_the_range_of_losses_or_of_abilities():
    signed = made(Signed)
    unit = (X / 255).astype("float32")
    from_bytes, from_floats = (
        signed.evaluate(x, verbose=0, return_dict=True)["player/size"] for x in (X, 2 * unit - 1)
    )
    assert from_bytes == pytest.approx(from_floats, rel=1e-5)
    np.testing.assert_allclose(signed.encode(X), signed.encode(unit), rtol=1e-4, atol=1e-5)
    for ability in (signed.encode, signed.classify):
        with pytest.raises(ZooError, match=r"float32 in \[0, 1\].*\(x \+ 1\) / 2"):
            ability(2 * unit - 1)
    with pytest.raises(ZooError, match=r"Signed\.fit: .*float32 in \[-1, 1\]"):
        signed.fit(unit * 3, verbose=0)


@ONCE
def test_numbers_that_are_no_pictures_have_no_range():
    points = made(shape=(2,))
    x = np.arange(2 * N).reshape(N, 2)
    for given in (x, x * 1e6, x.astype("float16")):
        assert np.isfinite(points.evaluate(given, Y, verbose=0)).all()
    with pytest.raises(ZooError, match=r"row 0 holds inf at \[1\]; .*within float32"):
        points.fit(x * 1e39, Y, verbose=0)


@ONCE
def test_a_model_that_skips_what_is_not_finite_counts_it():
    skipping = made(shape=(2,), skip_nonfinite=True)
    x = np.full((N, 2), np.nan, "float32")
    assert skipping.train_on_batch(x, Y, return_dict=True)["skipped"] == 1


def test_a_generator_loses_no_batch():
    given = [(X, np.full(N, k)) for k in (0, 1, 2)]
    logs = made().evaluate((batch for batch in given), verbose=0, return_dict=True)
    assert logs["player/label"] == 1.0
    history = made().fit(
        (batch for batch in given),
        validation_data=(batch for batch in given[1:]),
        validation_steps=1,
        steps_per_epoch=1,
        epochs=2,
        verbose=0,
    )
    assert history.history["player/label"] == [0.0, 1.0]


@ONCE
def test_a_dataset_is_looked_at_once():
    one, items = made(), Items(X, Y)
    one.evaluate(items, verbose=0)
    before = items.read
    one.evaluate(items, verbose=0)
    assert items.read - before < before
