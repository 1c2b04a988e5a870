"""Labels as people keep them: what becomes classes, and what is refused in one message."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.datasets import Access, Arrays, Data, Split
from zoo.errors import ZooError
from zoo.plugin.labels import column
from zoo.plugin.limits import MOST_CLASSES
from zoo.plugin.model import DataSpec
from zoo.runs import manifest

pytestmark = pytest.mark.backend_free

THREE = np.arange(40) % 3


def load(tmp_path, lines=None, **arrays):
    np.savez(tmp_path / "a.npz", **arrays)
    say = (lambda line: None) if lines is None else lines.append
    return Arrays("a.npz").load(Access(data_dir=tmp_path, say=say))


def labelled(tmp_path, y, lines=None):
    return load(tmp_path, lines, x=np.arange(40, dtype="uint8").reshape(40, 1, 1), y=y)


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (THREE, 3),
        (THREE.astype("uint64"), 3),
        (THREE.astype(">i2"), 3),
        (THREE[:, None], 3),
        (np.eye(3)[THREE], 3),
        (np.eye(3, dtype=bool)[THREE], 3),
        (np.eye(5, dtype="uint8")[THREE], 5),
        (THREE == 2, 2),
        (np.where(THREE == 2, MOST_CLASSES - 1, THREE), MOST_CLASSES),
    ],
)
def test_numbers_become_classes(tmp_path, y, classes):
    data = labelled(tmp_path, y)
    assert data.spec.classes == classes and data.class_names == ()
    x = data.train.x.ravel()
    expected = THREE == 2 if y.dtype == bool and y.ndim == 1 else THREE
    expected = y if classes == MOST_CLASSES else expected
    np.testing.assert_array_equal(data.train.y, expected[x])
    assert data.train.y.dtype == np.int32


@pytest.mark.parametrize(
    "names", [["dog", "cat", "emu"], [b"dog", b"cat", b"emu"], ["狗", "猫", "é"], ["9", "10", "2"]]
)
def test_text_becomes_classes_with_names(tmp_path, names):
    y = np.array(names)[THREE]
    data = labelled(tmp_path, y)
    text = [name.decode() if isinstance(name, bytes) else name for name in names]
    assert data.class_names == tuple(sorted(text)) and data.spec.classes == 3
    found = [data.class_names[label] for label in data.train.y]
    assert found == [text[THREE[row]] for row in data.train.x.ravel()]


def test_text_of_all_splits_is_one_set_of_names(tmp_path):
    x, y = np.zeros((40, 1, 1), "uint8"), np.array(["b", "c"] * 20)
    data = load(tmp_path, x_train=x, y_train=y, x_test=x[:2], y_test=np.array(["d", "a"]))
    assert data.class_names == ("a", "b", "c", "d")
    assert data.test.y.tolist() == [3, 0] and set(data.train.y) == {1, 2}


def at_7(value, dtype="int64"):
    y = np.array(THREE, dtype=dtype)
    y[7] = value
    return y


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (at_7(2**40), r"train: row 7 has the label 1099511627776; .* from 0 to 99,999\. .*as text"),
        (at_7(2**31), "row 7 has the label 2147483648"),
        (at_7(2**64 - 1, "uint64"), "row 7 has the label 18446744073709551615"),
        (at_7(MOST_CLASSES), "row 7 has the label 100000"),
        (20_240_000 + np.arange(40), r"labels are integers from 0 to 99,999.*y\.astype\(str\)"),
        (at_7(-1), r"row 7 has the label -1; .*Leave rows without a label out"),
        (at_7(-(2**40)), "row 7 has the label -1099511627776"),
        (THREE + 0.5, r"integers from 0, not float64: y\.astype\('int32'\)"),
        (np.full(40, np.nan), "integers from 0, not float64"),
        (np.eye(40) * 2, "one-hot, a single 1 in each row of 0"),
        (np.ones((40, 3), int), "one-hot"),
        (np.zeros((40, 2, 2), int), r"not \(40, 2, 2\)"),
        (np.array(["a", ""] * 20), "row 1 has no label"),
        (np.array([b"\xff"] * 40), "no UTF-8 text"),
        (np.array(["2024-01-01"] * 40, "datetime64[D]"), "not datetime64"),
        (THREE[:9], r"40 examples need labels of shape \(40,\), not \(9,\)"),
    ],
)
def test_what_is_no_label(tmp_path, y, message):
    with pytest.raises(ZooError, match=message) as caught:
        labelled(tmp_path, y)
    assert "a.npz" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("y", "told"),
    [(THREE + 1, "1 of 4 classes"), (THREE * 2, "2 of 5"), (1990 + THREE, "1,990 of 1,993")],
)
def test_classes_without_an_example_are_told(tmp_path, y, told):
    lines = []
    labelled(tmp_path, y, lines)
    assert [told in line and "y.astype(str)" in line for line in lines] == [True]


def test_a_split_without_labels_beside_labels_is_not_used(tmp_path):
    lines = []
    x = np.zeros((40, 1, 1), "uint8")
    data = load(tmp_path, lines, x_train=x, y_train=THREE, x_test=x[:7])
    assert [len(split) for split in (data.train, data.validation, data.test)] == [32, 4, 4]
    assert len(lines) == 1 and "x_test is not used, as there is no y_test" in lines[0]
    data = load(tmp_path, x_train=x, y_train=THREE, x_test=x[:7], y_test=THREE[:7])
    assert len(data.test) == 7
    data = load(tmp_path, x_train=x, y_train=THREE, x_val=x[:6], y_val=THREE[:6])
    assert len(data.validation) == 6


def test_one_ceiling_for_reading_and_loading():
    kind = manifest.TrainedOn.__dataclass_fields__["classes"].metadata["kind"]
    assert kind.test(MOST_CLASSES) and not kind.test(MOST_CLASSES + 1)


# Data of one's own.


def own(y, classes=3, x=None, part="train"):
    fine = Split(np.zeros((40, 2), "float32"), THREE.astype("int32"))
    split = Split(np.zeros((40, 2), "float32") if x is None else x, y)
    splits = {"train": fine, "validation": fine, "test": fine, part: split}
    return Data("own", DataSpec((2,), classes), **splits)


@pytest.mark.parametrize(
    ("y", "part", "message"),
    [
        (at_7(3), "train", r"own, train: row 7 has the label 3; .* from 0 to 2\."),
        (at_7(-1), "test", "own, test: row 7 has the label -1"),
        (at_7(2**40), "validation", "own, validation: row 7 has the label 1099511627776"),
        (THREE / 2, "test", "own, test: labels are integers from 0, not float64"),
    ],
)
def test_own_data_is_checked(y, part, message):
    with pytest.raises(ZooError, match=message):
        own(y, part=part).check()


@pytest.mark.parametrize("part", ["train", "validation", "test"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_own_data_that_is_not_finite(part, value):
    x = np.zeros((40, 2), "float32")
    x[9, 1] = value
    with pytest.raises(ZooError, match=rf"own, {part}: row 9 holds {value} at \[1\]"):
        own(THREE, x=x, part=part).check()
    own(THREE).check()


def test_own_data_of_too_many_classes():
    with pytest.raises(ZooError, match="DataSpec: 100,001 classes; up to 100,000 are accepted"):
        own(THREE, classes=MOST_CLASSES + 1).check()


def test_class_names_are_as_many_as_classes():
    split = Split(np.zeros((3, 2), "float32"))
    with pytest.raises(ZooError, match="1 class_names for 3 classes"):
        Data("own", DataSpec((2,), 3), split, split, split, class_names=("cat",))


# Examples that are not finite.


@pytest.mark.parametrize(
    ("value", "dtype", "told"),
    [
        (np.nan, "float32", "nan"),
        (-np.inf, "float16", "-inf"),
        (1e39, "float64", "inf"),
        (np.nan, ">f8", "nan"),
    ],
)
@pytest.mark.parametrize("suffix", ["npz", "npy"])
def test_examples_that_are_not_finite(tmp_path, value, dtype, told, suffix):
    x = np.zeros((40, 3, 2), dtype)
    x[17, 2, 1] = value
    path = tmp_path / f"a.{suffix}"
    np.savez(path, x=x) if suffix == "npz" else np.save(path, x)
    with pytest.raises(
        ZooError, match=rf"a\.{suffix}, x of train: row 17 holds {told} at \[2, 1\]"
    ):
        Arrays(str(path)).load(Access(say=lambda line: None))


def test_large_finite_examples_are_fine(tmp_path):
    x = np.full((40, 3), np.finfo("float32").max)
    assert load(tmp_path, x=x).train.x.max() == np.finfo("float32").max


@pytest.mark.parametrize("name", ["x_test", "x_validation"])
def test_nan_in_what_is_not_trained_on(tmp_path, name):
    x = np.zeros((40, 3), "float32")
    bad = x.copy()
    bad[3] = np.nan
    with pytest.raises(ZooError, match=rf"x of {name[2:]}: row 3 holds nan"):
        load(tmp_path, x_train=x, **{name: bad})


@pytest.mark.parametrize("kind", ["int32", "U3", "O"])
def test_labels_are_looked_at_in_their_shape_first(kind):
    with pytest.raises(ZooError, match=r"labels are \(n,\), \(n, 1\) or one-hot .*, not \(\)"):
        column(np.array("1").astype(kind), "y")
    y, room = column(np.array([["1"], ["2"]]).astype(kind), "y")
    assert y.shape == (2,) and room == 0
