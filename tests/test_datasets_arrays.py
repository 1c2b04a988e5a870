"""NumPy's files, in memory and larger than it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from zoo.datasets import Access, Arrays, Lazy
from zoo.errors import ZooError
from zoo.plugin.model import DataSpec

pytestmark = pytest.mark.backend_free


@pytest.fixture
def access(tmp_path):
    return Access(data_dir=tmp_path, say=lambda line: None)


def pictures(n, shape=(4, 5), dtype=np.uint8):
    return np.random.default_rng(0).integers(0, 256, (n, *shape)).astype(dtype)


def test_archive_of_all_splits(tmp_path, access):
    x, y = pictures(30), np.arange(30) % 3
    np.savez(
        tmp_path / "a.npz",
        x_train=x[:20],
        y_train=y[:20],
        x_validation=x[20:25],
        y_validation=y[20:25],
        x_test=x[25:],
        y_test=y[25:],
    )
    data = Arrays(path="a.npz").load(access)
    assert data.name == "a"
    assert data.spec == DataSpec((4, 5, 1), classes=3)
    np.testing.assert_array_equal(data.train.x[..., 0], x[:20])
    np.testing.assert_array_equal(data.test.y, y[25:])
    assert data.test.y.dtype == np.int32


def test_archive_of_x_and_y_is_split(tmp_path, access):
    np.savez(tmp_path / "a.npz", x=pictures(40, (4, 5, 3)), y=np.arange(40) % 2)
    data = Arrays(path="a.npz").load(access)
    assert data.spec == DataSpec((4, 5, 3), classes=2)
    assert [np.bincount(s.y).tolist() for s in (data.train, data.validation, data.test)] == [
        [16, 16],
        [2, 2],
        [2, 2],
    ]
    unbalanced = Arrays(path="a.npz", imbalance={1: 0.25}).load(access)
    assert np.bincount(unbalanced.train.y).tolist() == [16, 4]


def test_float_vectors_become_float32(tmp_path, access):
    x = np.random.default_rng(0).normal(size=(50, 7))
    np.save(tmp_path / "a.npy", x)
    data = Arrays(path="a.npy").load(access)
    assert data.spec == DataSpec((7,))
    assert data.train.x.dtype == np.float32
    assert data.train.x[:5].dtype == np.float32
    everything = np.concatenate([np.asarray(s.x) for s in (data.train, data.validation, data.test)])
    np.testing.assert_array_equal(np.sort(everything.ravel()), np.sort(x.astype("f4").ravel()))


def test_npy_with_labels_is_mapped(tmp_path, access):
    x, y = pictures(50), np.arange(50) % 5
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    np.savez(tmp_path / "both.npz", x=x, y=y)
    mapped = Arrays(path="x.npy", labels="y.npy").load(access)
    whole = Arrays(path="both.npz").load(access)
    assert isinstance(mapped.train.x, Lazy)
    assert mapped.fingerprint == whole.fingerprint
    np.testing.assert_array_equal(np.asarray(mapped.test.x), whole.test.x)
    np.testing.assert_array_equal(mapped.train.y, whole.train.y)
    assert mapped.train.x[3:5].flags.writeable


BAD = {
    "no x": ({"images": pictures(9)}, "has the arrays images: it needs x_train, or x"),
    "nothing": ({}, "has the arrays none"),
    "integers": ({"x": pictures(9, dtype=np.int64)}, "float vectors .* not int64"),
    "one axis": ({"x": np.zeros(9)}, r"not float64 \(9,\)"),
    "five axes": ({"x": pictures(9, (2, 2, 3, 1))}, "uint8 pictures are"),
    "none of them": ({"x": pictures(0)}, "there are no examples"),
    "few labels": ({"x": pictures(9), "y": np.zeros(8, int)}, r"9 examples need .* not \(8,\)"),
    "shapes": ({"x_train": pictures(9), "x_test": pictures(9, (3, 3))}, "examples of one shape"),
    "some labelled": (
        {"x_train": pictures(9), "x_test": pictures(9), "y_test": np.zeros(9, int)},
        "those of other splits need y_train",
    ),
    "too few": ({"x": pictures(3)}, "3 training examples cannot be split .* validation=0 and"),
    "bytes as int": ({"x": pictures(9, dtype=np.int16)}, r"by x\.astype\('uint8'\)"),
    "objects": ({"x": np.array([{}], object)}, "allow_pickle"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_data(tmp_path, access, case):
    arrays, message = BAD[case]
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ZooError, match=message) as caught:
        Arrays(path="a.npz").load(access)
    assert "\n" not in str(caught.value)


def test_what_is_no_file(tmp_path, access):
    with pytest.raises(ZooError, match=r"there is no .*a.npz"):
        Arrays(path="a.npz").load(access)
    (tmp_path / "a.npz").write_text("no archive")
    with pytest.raises(ZooError, match=r"a.npz is not used: it is no complete .npz archive"):
        Arrays(path="a.npz").load(access)
    (tmp_path / "a.npy").write_text("no array")
    with pytest.raises(ZooError, match=r"a.npy is not used: "):
        Arrays(path="a.npy").load(access)
    (tmp_path / "a.csv").write_text("1,2")
    with pytest.raises(ZooError, match=r"neither .npz nor .npy"):
        Arrays(path="a.csv").load(access)


def test_data_larger_than_memory_stay_on_disk(tmp_path):
    """A child with 128 MB for its data goes through 512 MB of pictures, three ways."""
    code = """
        import resource, sys
        import numpy as np
        import keras
        from zoo.datasets import Access, Arrays, Batches
        from zoo.datasets.pipeline import binarize_once

        np.lib.format.open_memmap(sys.argv[1], "w+", np.uint8, (2**19, 32, 32))  # a sparse file
        in_use = int(open("/proc/self/statm").read().split()[5]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_DATA, (in_use + 2**27, in_use + 2**27))
        data = Arrays(path=sys.argv[1]).load(Access())
        batches = Batches(data.train, 4096, seed=0, shuffle=True, binarize=True)
        rows = sum(len(batches[i][0]) for i in range(0, len(batches), 8))
        validation = binarize_once(data.validation.x, 0, "validation")
        rows += sum(len(validation[i:i + 1000]) for i in range(0, len(validation), 1000))
        try:
            np.ones(2**28, np.uint8)
            print("no limit")
        except MemoryError:
            print(rows)
    """
    environment = {**os.environ, "KERAS_BACKEND": "torch" if _has("torch") else "jax"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "large.npy")],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100_000


def _has(module):
    from zoo.runtime import backends

    return module in backends.installed()
