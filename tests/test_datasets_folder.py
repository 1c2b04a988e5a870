"""Folders of pictures, as people keep them."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.datasets import Access, Folder, Lazy, assorted
from zoo.errors import ZooError
from zoo.plugin.model import DataSpec

pytestmark = pytest.mark.backend_free

REAL = Path(os.environ.get("ZOO_DATA") or "nowhere") / "cifar10_small"


@pytest.fixture
def lines():
    return []


@pytest.fixture
def access(tmp_path, lines):
    return Access(data_dir=tmp_path, say=lines.append)


def picture(value, size=(8, 8), mode="L"):
    width, height = size
    shape = (height, width) if mode == "L" else (height, width, len(mode))
    return Image.fromarray(np.full(shape, value, np.uint8), mode if mode != "L" else None)


@pytest.fixture
def fill(tmp_path):
    """Write pictures below the data folder: ``fill("a/cat", 3)``, each of its own grey."""

    def write(place, n, **how):
        folder = tmp_path / place
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(n):
            picture(5 * i, **how).save(folder / f"{i:03d}.png")
        return folder

    return write


def load(access, **settings):
    return Folder(path="a", **settings).load(access)


def test_class_folders(fill, access, lines):
    fill("a/cat", 20)
    fill("a/dog", 10)
    data = load(access, validation=0.2, test=0.1)
    assert data.name == "a"
    assert data.spec == DataSpec((8, 8, 1), classes=2)
    assert [len(s) for s in (data.train, data.validation, data.test)] == [21, 6, 3]
    assert [np.bincount(s.y).tolist() for s in (data.train, data.validation, data.test)] == [
        [14, 7],
        [4, 2],
        [2, 1],
    ]
    assert data.train.x.dtype == np.uint8 and data.train.y.dtype == np.int32
    assert lines == []
    everything = np.concatenate([s.x[:, 0, 0, 0] for s in (data.train, data.validation, data.test)])
    assert sorted(everything) == sorted([5 * i for i in range(20)] + [5 * i for i in range(10)])


def test_split_and_fingerprint_are_the_same_every_time(fill, access):
    fill("a/cat", 20)
    first, second = load(access), load(access)
    np.testing.assert_array_equal(first.train.x, second.train.x)
    assert first.fingerprint == second.fingerprint
    picture(77).save(Path(access.data_dir, "a/cat/003.png"))
    assert load(access).fingerprint != first.fingerprint
    assert load(access, size=4).fingerprint != load(access).fingerprint


def test_flat_folder_has_no_labels(fill, access):
    fill("a", 10)
    data = load(access)
    assert data.spec == DataSpec((8, 8, 1))
    assert data.train.y is None


def test_folders_for_splits(fill, access):
    for part, n in (("train", 10), ("val", 3), ("test", 2)):
        fill(f"a/{part}/cat", n)
        fill(f"a/{part}/dog", n)
    data = load(access)
    assert [len(s) for s in (data.train, data.validation, data.test)] == [20, 6, 4]
    assert data.validation.y.tolist() == [0, 0, 0, 1, 1, 1]


def test_a_split_without_a_folder_is_held_out(fill, access):
    fill("a/train", 20)
    fill("a/test", 5)
    data = load(access)
    assert [len(s) for s in (data.train, data.validation, data.test)] == [18, 2, 5]


def test_sizes_differ(fill, access):
    fill("a", 6, size=(12, 8))
    fill("a/more", 0)
    picture(5, size=(20, 30)).save(Path(access.data_dir, "a/tall.png"))
    with pytest.raises(ZooError, match=r"2 sizes, from 8 x 12 to 30 x 20: set size"):
        load(access)
    assert load(access, size=10, validation=0.2, test=0.2).spec.shape == (10, 10, 1)


def test_crop_to_the_square_in_the_middle(fill, access):
    folder = fill("a", 9, size=(12, 4))
    pixels = np.zeros((4, 12), np.uint8)
    pixels[:, 4:8] = 200
    for path in folder.iterdir():
        Image.fromarray(pixels).save(path)
    data = load(access, size=4, validation=0.2, test=0.2)
    assert (data.train.x == 200).all()


def test_modes_differ(fill, access):
    fill("a", 8)
    assert load(access, validation=0.2, test=0.2).spec.shape == (8, 8, 1)
    picture(9, mode="RGB").save(Path(access.data_dir, "a/colour.png"))
    assert load(access, validation=0.2, test=0.2).spec.shape == (8, 8, 3)
    assert load(access, mode="grey", validation=0.2, test=0.2).spec.shape == (8, 8, 1)


def test_every_mode_of_png(tmp_path, access):
    (tmp_path / "a").mkdir()
    grey = np.full((4, 4), 100, np.uint8)
    wide = Image.fromarray(grey.astype(np.uint16) * 257)
    clear = np.full((4, 4, 4), 100, np.uint8)
    clear[..., 3] = 0
    images = [
        Image.fromarray(grey),
        wide,
        Image.fromarray(grey).convert("RGB"),
        Image.fromarray(grey).convert("RGB").convert("P"),
        Image.fromarray(clear, "RGBA"),
    ]
    for i, image in enumerate(images):
        image.save(tmp_path / f"a/{i}.png")
    data = load(access, mode="grey", validation=0.2, test=0.2)
    values = np.concatenate([s.x[:, 0, 0, 0] for s in (data.train, data.validation, data.test)])
    assert sorted(values.tolist()) == [0, 100, 100, 100, pytest.approx(100, abs=3)]


def test_broken_files_are_named_and_left_out(fill, access, lines):
    folder = fill("a", 12)
    (folder / "002.png").write_bytes((folder / "002.png").read_bytes()[:45])
    (folder / "003.png").write_text("no picture")
    (folder / "004.png").write_bytes(b"")
    data = load(access)
    assert sum(len(s) for s in (data.train, data.validation, data.test)) == 9
    assert [str(folder / name) in "".join(lines) for name in ("002.png", "003.png")] == [True, True]
    assert lines[-1] == "a, train: left out 3 of 12 pictures, broken"
    assert load(access).fingerprint == data.fingerprint


def test_a_damaged_tiff_is_told_in_the_zoos_words_alone(fill, access, lines, recwarn):
    folder = fill("a", 12)
    whole = io.BytesIO()
    Image.new("L", (16, 16)).save(whole, "TIFF")
    (folder / "short.tif").write_bytes(whole.getvalue()[:60])
    load(access)
    assert "short.tif is left out" in "".join(lines)
    assert not recwarn.list


def test_many_broken_files_are_counted(fill, access, lines):
    folder = fill("a", 40)
    for i in range(25):
        (folder / f"{i:03d}.png").write_text("no picture")
    load(access)
    assert len(lines) == 11
    assert "25 of 40" in lines[-1]


def test_strict_refuses_a_broken_file(fill, tmp_path):
    folder = fill("a", 12)
    (folder / "003.png").write_text("no picture")
    with pytest.raises(ZooError, match=r"003.png is broken \(it is no picture\), which --strict"):
        Folder(path="a").load(Access(data_dir=tmp_path, strict=True))


def test_other_files_are_passed_over(fill, access, lines):
    folder = fill("a/cat", 10)
    (folder / "notes.txt").write_text("notes")
    (folder / ".hidden.png").write_text("notes")
    (folder.parent / ".git").mkdir()
    (folder.parent / "empty").mkdir()
    assert load(access).spec.classes == 1
    assert lines == []


def test_nothing_there(tmp_path, access):
    with pytest.raises(ZooError, match=r"there is no .*/a or .*: give a path that is there"):
        load(access)
    (tmp_path / "a").mkdir()
    with pytest.raises(ZooError, match=r"/a holds no pictures \(.bmp"):
        load(access)
    (tmp_path / "a/1.png").write_text("no picture")
    with pytest.raises(ZooError, match="no picture that can be read"):
        load(access)
    (tmp_path / "file").touch()
    with pytest.raises(ZooError, match="is a file"):
        Folder(path="file").load(access)


def test_classes_that_differ(fill, access):
    fill("a/train/cat", 5)
    fill("a/test/dog", 5)
    with pytest.raises(ZooError, match=r"differ in their class folders \(cat, dog\)"):
        load(access)


def test_pictures_beside_class_folders(fill, access):
    fill("a", 2)
    fill("a/cat", 2)
    with pytest.raises(ZooError, match=r"holds pictures, such as .*, and folders of pictures"):
        load(access)


def test_test_folder_without_train(fill, access):
    fill("a/test/cat", 5)
    with pytest.raises(ZooError, match="a has test, but no train"):
        load(access)


def test_too_few_to_split(fill, access):
    fill("a", 2)
    with pytest.raises(ZooError, match="a: 2 training examples cannot be split"):
        load(access)


def test_absolute_and_relative_paths(fill, tmp_path, monkeypatch):
    fill("a", 10)
    quiet = Access(data_dir=tmp_path / "a", say=lambda line: None)
    assert len(Folder(path=str(tmp_path / "a")).load(quiet).train) == 8
    monkeypatch.chdir(tmp_path)
    assert len(Folder(path="a").load(quiet).train) == 8


def test_large_folders_are_read_batch_by_batch(fill, access, monkeypatch):
    fill("a/cat", 12)
    fill("a/dog", 12)
    small = load(access)
    monkeypatch.setattr(assorted, "IN_MEMORY", 100)
    large = load(access)
    assert isinstance(large.train.x, Lazy) and isinstance(small.train.x, np.ndarray)
    assert large.fingerprint == small.fingerprint
    np.testing.assert_array_equal(np.asarray(large.train.x), small.train.x)
    np.testing.assert_array_equal(large.train.x[3:7], small.train.x[3:7])
    np.testing.assert_array_equal(large.train.x[[5, 1]], small.train.x[[5, 1]])
    np.testing.assert_array_equal(large.test.x[-1], small.test.x[-1])
    assert len(large.train.first(3).x) == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 0}, r"Folder: size is an integer, from 1 to 4,096, or two of them, .*; got 0"),
        ({"size": (8, 8, 3)}, r"two of them, \(height, width\); got \(8, 8, 3\)"),
        ({"size": True}, "got True"),
        ({"fit": "squash"}, "fit is 'crop', 'pad' or 'stretch'; got 'squash'"),
        ({"background": "grey"}, "background is 'black' or 'white'"),
        ({"value_range": (1, 1)}, "value_range is the values of black and of white, in ascending"),
        ({"value_range": 255}, "value_range is the values"),
        ({"mode": "gray"}, "mode is 'auto', 'grey' or 'rgb'; got 'gray'; did you mean 'grey'?"),
        ({"validation": 1.0}, r"validation is in \[0, 1\); got 1.0"),
        ({"test": "half"}, "test is in"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(ZooError, match=message):
        Folder(path="a", **settings)


@pytest.mark.skipif(not REAL.is_dir(), reason="ZOO_DATA names no folder with cifar10_small")
def test_real_folder():
    data = Folder(path=str(REAL)).load(Access(strict=True))
    assert data.spec == DataSpec((32, 32, 3), classes=10)
    assert [len(s) for s in (data.train, data.validation, data.test)] == [4500, 500, 1000]
    assert np.bincount(data.validation.y).tolist() == [50] * 10
