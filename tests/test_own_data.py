"""A person's own pictures and arrays: looked at, made like those of a run, and codes in files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import photos
from zoo import cli
from zoo.cli import decompress
from zoo.cli.trained import new_folder
from zoo.config import recipe as recipes
from zoo.config import recipe_files
from zoo.datasets import given
from zoo.errors import ZooError
from zoo.metrics import codecs, oddity
from zoo.plugin.model import DataSpec
from zoo.runs import codes_file
from zoo.runs.codes_file import CodesFile

pytestmark = pytest.mark.backend_free


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- zoo data


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Eighty files of all forms, one of which is broken."""
    folder = tmp_path_factory.mktemp("own") / "photos"
    photos.write(folder, 80, seed=1)
    return folder


def test_a_folder_is_looked_at(mixed, place, capsys):
    assert cli.main(["data", str(mixed), "--json", "--out", "sheet.png"]) == 0
    found = json.loads(capsys.readouterr().out)
    files = [path for path in mixed.rglob("*") if path.is_file()]
    assert len(files) == 80
    assert found["pictures"] == {"train": 78} and len(found["broken"]) == 2
    assert all((mixed / entry["file"]).is_file() for entry in found["broken"])
    assert sum(found["classes"].values()) == 78 and list(found["classes"]) == ["day", "night"]
    assert sum(n for *_, n in found["sizes"]) == sum(found["modes"].values()) == 78
    assert {"RGB", "L", "RGBA", "CMYK", "I;16"} <= set(found["modes"])
    with Image.open(place / "sheet.png") as sheet:
        assert sheet.width > 600 and sheet.height > 400
    assert found["suits"][0] == f"zoo run vae_folder dataset.path={mixed}"


def test_what_is_said_of_a_folder_ends_with_what_to_type(mixed, capsys):
    assert cli.main(["data", str(mixed)]) == 0
    said = capsys.readouterr().out
    assert "pictures  78, 2 more are broken" in said
    assert said.splitlines()[-1] == f"next: zoo run vae_folder dataset.path={mixed}"


@pytest.mark.parametrize(
    ("side", "n", "next_"),
    [
        (28, 3, "dataset.path=a dataset.size=28"),  # halves twice: as they are
        (50, 3, "dataset.path=a dataset.size=32"),
        (64, 3, "dataset.path=a"),
        (9, 3, "dataset.path=a dataset.size=8"),
    ],
)
def test_small_pictures_keep_a_size_that_networks_fit(place, capsys, side, n, next_):
    (place / "a").mkdir()
    for i in range(n):
        Image.new("L", (side, side), 9 * i).save(place / "a" / f"{i}.png")
    assert cli.main(["data", "a"]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[-1] == f"next: zoo run vae_folder {next_}"
    assert "3 pictures are few" in said


def test_arrays_are_looked_at(place, capsys):
    x, y = np.arange(3 * 4 * 4, dtype="uint8").reshape(3, 4, 4), ["b", "a", "b"]
    np.savez("two words.npz", x=x, y=y)
    assert cli.main(["data", "two words.npz"]) == 0
    said = capsys.readouterr().out
    assert "4 x 4 x 1, uint8" in said and "0 to 47" in said and "2: a 1, b 2" in said
    assert said.splitlines()[-1] == "next: zoo run ae_arrays 'dataset.path=two words.npz'"
    assert (place / "two words-contact.png").is_file()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere", "there is no nowhere: name a folder of pictures"),
        ("one.png", "one.png is one picture: name the folder"),
        ("empty", "holds no pictures"),
        ("notes.txt", "it is neither .npz nor .npy"),
        ("broken", "there is no picture that can be read; it is no picture"),
    ],
)
def test_what_is_no_data_is_refused(place, capsys, path, message):
    Image.new("L", (8, 8)).save("one.png")
    (place / "notes.txt").write_text("x")
    (place / "empty").mkdir()
    (place / "broken").mkdir()
    (place / "broken" / "a.jpg").write_text("x")
    assert cli.main(["data", path]) == 2
    assert message in capsys.readouterr().err


# --- recipes that fit


@pytest.mark.parametrize(
    ("recipe", "shape"),
    [
        ("vae_folder", (64, 64, 3)),
        ("vae_folder", (27, 35, 1)),
        ("dcgan_folder", (48, 32, 3)),
        ("ae_arrays", (3,)),
        ("ae_arrays", (1,)),
        ("ae_arrays", (28, 28, 1)),
        ("ae_arrays", (9, 9, 5)),
    ],
)
def test_networks_fit_the_size_of_the_data(recipe, shape):
    import zoo

    found = recipes.load(recipe_files.find(recipe))
    model = zoo.build(found.model, DataSpec(shape), networks=found.networks)
    if model.can("reconstruct"):
        assert model.reconstruct(np.zeros((2, *shape), "float32")).shape == (2, *shape)
        assert model.encode(np.zeros((2, *shape), "float32")).shape[1] <= max(1, np.prod(shape) / 2)
    else:
        assert model.sample(2).shape == (2, *shape)


# --- examples made like those of a run


def like(*shape, classes=0, names=()):
    return given.Like(DataSpec(shape, classes), names)


def test_pictures_of_any_kind_are_fitted_and_it_is_said_once(mixed):
    lines = []
    found = given.read([mixed], like(16, 16, 1, classes=2, names=("day", "night")), lines.append)
    assert found.split.x.shape == (78, 16, 16, 1) and found.split.x.dtype == np.uint8
    assert sum("cut to 16 x 16 in grey" in line for line in lines) == 1
    assert found.class_names == ("day", "night")
    first = [name.partition("/")[0] for name in found.names]
    assert [found.class_names[y] for y in found.split.y] == first


def test_classes_are_in_the_terms_of_the_model_or_apart(place):
    for name, value in (("dog", 10), ("cat", 20)):
        (place / "a" / name).mkdir(parents=True)
        Image.new("L", (4, 4), value).save(place / "a" / name / "1.png")
    known = given.read([place / "a"], like(4, 4, 1, classes=3, names=("eel", "dog", "cat")), print)
    assert dict(zip(known.names, known.split.y, strict=True)) == {"cat/1.png": 2, "dog/1.png": 1}
    others = given.read([place / "a"], like(4, 4, 1, classes=2, names=("eel", "cat")), print)
    assert others.split.y is None
    assert others.labels.tolist() == [0, 1] and others.class_names == ("cat", "dog")


def test_several_files_and_arrays_come_one_after_the_other(place):
    Image.new("L", (4, 4), 7).save("a.png")
    Image.new("RGB", (8, 4), (9, 9, 9)).save("b.png")
    np.savez("c.npz", x=np.full((2, 6, 6), 11, "uint8"))
    found = given.read([place / n for n in ("b.png", "a.png", "c.npz")], like(4, 4, 1), print)
    assert found.split.x[:, 0, 0, 0].tolist() == [9, 7, 11, 11]
    assert found.names == ["b.png", "a.png", "c.npz/row 0", "c.npz/row 1"]


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("v.npy", (3,), r"examples of shape \(3,\), and these have \(2,\)"),
        ("v.npy", (4, 4, 1), r"these have \(2,\)"),
        ("a.png", (3,), "not of pictures: give an .npz or .npy file"),
        ("a.txt", (4, 4, 1), "a.txt is neither a picture"),
        ("none.png", (4, 4, 1), "there is no"),
        ("bad.png", (4, 4, 1), "there is no picture that can be read"),
    ],
)
def test_what_cannot_be_made_like_it_is_refused(place, name, shape, message):
    np.save("v.npy", np.zeros((5, 2), "float32"))
    Image.new("L", (4, 4)).save("a.png")
    (place / "a.txt").write_text("")
    (place / "bad.png").write_text("")
    with pytest.raises(ZooError, match=message):
        given.read([place / name], like(*shape), lambda line: None)


# --- scores


def test_a_score_that_is_no_number_counts_as_the_highest():
    """As of an example whose likelihood overflows."""
    odd = np.array([2.0, np.nan, 3.0, np.inf])
    assert oddity.ranked(odd).tolist() == [1, 3, 2, 0]
    assert oddity.median(np.array([2.0, np.nan, 3.0])) == 3.0
    assert oddity.auroc(odd, np.array([1.0, 2.0])) == 7.5 / 8  # of pairs, one tied
    assert oddity.auroc(np.array([np.nan]), np.array([np.inf, -np.inf])) == 0.75


# --- folders of pictures

PICTURE = np.zeros((2, 2, 1), "uint8")


def names_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_folder_that_is_there_is_filled_and_not_replaced(place):
    """As one that is mounted or the working folder, beside which nothing may be written."""
    (place / "out").mkdir()
    before = (place / "out").stat().st_ino
    with new_folder(place / "out") as save:
        save("cat/0.png", PICTURE)
        save("1.png", PICTURE)
        assert {Path(name).parts[0] for name in names_in(place)} == {"out"}
    assert names_in(place / "out") == ["1.png", "cat", "cat/0.png"]
    assert (place / "out").stat().st_ino == before


def test_the_working_folder_can_be_filled(place, monkeypatch):
    (place / "here").mkdir()
    monkeypatch.chdir(place / "here")
    with new_folder(Path(".")) as save:
        save("0.png", PICTURE)
    assert names_in(place) == ["here", "here/0.png"]


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_is_written_whole_or_not_at_all(place, there):
    if there:
        (place / "out").mkdir()
    with pytest.raises(ZooError, match="no"), new_folder(place / "out") as save:
        save("0.png", PICTURE)
        raise ZooError("no")
    assert names_in(place) == ["out"] * there


def test_a_name_that_no_system_takes_is_refused_in_words(place):
    with pytest.raises(ZooError, match="cannot write"), new_folder(place / ("x" * 300)):
        pass


def test_pictures_of_one_name_but_for_case_or_suffix_get_names_of_their_own():
    assert decompress.names(["a.png", "b/a.jpg"], 2) == ["a.png", "b/a.png"]
    assert decompress.names(["a.png", "a.jpg"], 2) == ["a.png.png", "a.jpg.png"]
    for alike in (["A.jpg", "a.jpg"], ["a.png", "a.jpg", "a.png.gif"], ["a.jpg", "a.png/b.jpg"]):
        assert decompress.names(alike, len(alike)) == [f"{i}.png" for i in range(len(alike))]
    assert decompress.names([], 11)[10] == "10.png"


# --- files of codes


def coded(**changes):
    symbols = np.random.RandomState(0).binomial(8, 0.3, (500, 3)).astype("int32") - 2
    symbols[:, 1] = 5  # a dimension that says nothing
    given = {"run": "r/1-a", "weights": "0" * 64, "names": [], "symbols": symbols, "step": 0.25}
    return CodesFile(**{**given, **changes})


@pytest.fixture
def constriction():
    return pytest.importorskip("constriction")


def test_codes_come_back_and_take_their_entropy(place, constriction):
    file = coded(names=[f"cat/{i}.jpg" for i in range(500)], labels=np.arange(500) % 7)
    content = codes_file.encoded(file)
    (place / "a.zoo").write_bytes(content)
    again = codes_file.read(place / "a.zoo")
    assert np.array_equal(again.symbols, file.symbols) and again.names == file.names
    assert np.array_equal(again.labels, file.labels) and again.run == "r/1-a"
    assert np.array_equal(again.codes(), (file.symbols * 0.25).astype("float32"))
    bare = len(codes_file.encoded(coded())) - len(
        codes_file.encoded(coded(symbols=file.symbols[:1]))
    )
    shares = [np.unique(column, return_counts=True)[1] / 500 for column in file.symbols.T]
    entropy = sum(-(p * np.log2(p)).sum() for p in shares) * 500 / 8
    assert entropy < bare < entropy + 100  # the tables


def test_codes_of_few_vectors_are_numbers_of_vectors(place, constriction):
    book = np.random.RandomState(0).normal(size=(6, 4)).astype("float32")
    z = book[np.random.RandomState(1).randint(0, 6, (50, 3))].reshape(50, 12)
    symbols, vectors = codes_file.as_vectors(z)
    assert symbols.shape == (50, 3) and vectors.shape == (6, 4)
    (place / "a.zoo").write_bytes(codes_file.encoded(coded(symbols=symbols, vectors=vectors)))
    assert np.array_equal(codes_file.read(place / "a.zoo").codes(), z)
    assert codes_file.as_vectors(np.random.RandomState(0).normal(size=(50, 12))) is None


def test_what_could_not_be_read_again_is_not_written(place, constriction, monkeypatch):
    monkeypatch.setattr(codes_file, "MOST_EXAMPLES", 499)
    with pytest.raises(ZooError, match="500 pictures are too many for one file, up to 499"):
        codes_file.encoded(coded())
    monkeypatch.undo()
    monkeypatch.setattr(codes_file, "MOST_SYMBOLS", 1499)
    with pytest.raises(ZooError, match="500 pictures are too many for one file, up to 499"):
        codes_file.encoded(coded())
    monkeypatch.undo()
    names = [f"{i:0150d}.png" for i in range(500)]
    monkeypatch.setattr(codes_file, "MOST_HEADER", 1 << 16)
    with pytest.raises(ZooError, match="names of 500 pictures take more than"):
        codes_file.encoded(coded(names=names))
    codes_file.encoded(coded())


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_codes_that_no_integer_holds_are_refused(value):
    z = np.random.RandomState(0).normal(size=(50, 3))
    z[20, 1] = value
    with pytest.raises(ZooError, match="codes of 1 picture are not finite or too large"):
        codes_file.rounded(z, 0.01)


def test_a_damaged_file_is_named_wherever_it_is_damaged(place, constriction):
    content = codes_file.encoded(coded())
    for at in range(0, len(content), 7):
        wrong = bytearray(content)
        wrong[at] ^= 16
        (place / "a.zoo").write_bytes(wrong)
        with pytest.raises(ZooError, match=r"a\.zoo is not read"):
            codes_file.read(place / "a.zoo")
    for size in (0, 5, 30, len(content) - 1):
        (place / "a.zoo").write_bytes(content[:size])
        with pytest.raises(ZooError, match=r"a\.zoo is not read"):
            codes_file.read(place / "a.zoo")


HOSTILE = [
    {"names": ["../x.png"]},
    {"names": ["/etc/x.png"]},
    {"names": ["a/../../x.png"]},
    {"names": ["a\x1b[2J"]},
    {"names": ["c:x"]},
    {"names": [".hidden"]},
    {"names": ["a", "b"]},
    {"names": [3]},
    {"run": "../../evil"},
    {"run": "/tmp/evil"},
    {"weights": "x"},
    {"weights": 7},
    {"n": 0},
    {"n": 10**9},
    {"n": True},
    {"step": "nan"},
    {"step": -1},
    {"low": [1 << 40] * 3},
    {"low": []},
    {"counts": [[1], [1]]},
    {"counts": [[-1, 2]] * 3},
    {"counts": [[]] * 3},
    {"counts": [[0, 0]] * 3},
    {"counts": 7},
    {"counts": [[1, 1]] * 3},  # of fewer examples than n
    {"counts": [[1 << 29, 1 << 29]] * 3},
    {"labels": [0, 1]},
    {"labels": [-1]},
    {"labels": 3},
    {"vectors": {"shape": [2, 2], "float32": "AAAA"}, "columns": 1},
    {"vectors": {"shape": [1 << 40, 1], "float32": ""}, "columns": 1},
    {"vectors": 5, "columns": 2},
    {
        "vectors": {"shape": [1, 1], "float32": "AACAfw=="},
        "columns": 1,
        "low": [0],
        "counts": [[500]],
    },
    {
        "vectors": {"shape": [1, 1], "float32": "AACAPw=="},
        "columns": 1,
        "low": [9],
        "counts": [[500]],
    },
]


@pytest.mark.parametrize("fields", HOSTILE, ids=lambda fields: str(fields)[:50])
def test_a_file_that_a_stranger_made_is_believed_in_nothing(place, constriction, fields):
    import hashlib
    import zlib

    content = codes_file.encoded(coded(symbols=np.zeros((1, 3), "int32"), names=["a"]))
    start = len(codes_file.MAGIC) + 16
    length = int.from_bytes(content[start : start + 4], "little")
    header = json.loads(zlib.decompress(content[start + 4 : start + 4 + length]))
    packed = zlib.compress(json.dumps({**header, **fields}).encode())
    body = len(packed).to_bytes(4, "little") + packed + content[start + 4 + length :]
    digest = hashlib.sha256(body).digest()[:16]
    (place / "a.zoo").write_bytes(codes_file.MAGIC + digest + body)
    with pytest.raises(ZooError, match=r"a\.zoo is not read"):
        codes_file.read(place / "a.zoo")


def test_a_header_that_would_fill_the_memory_is_not_unpacked(place, constriction):
    import hashlib
    import zlib

    packed = zlib.compress(b" " * (codes_file.MOST_HEADER + 10))
    body = len(packed).to_bytes(4, "little") + packed
    digest = hashlib.sha256(body).digest()[:16]
    (place / "a.zoo").write_bytes(codes_file.MAGIC + digest + body)
    with pytest.raises(ZooError, match="larger than 64 MB"):
        codes_file.read(place / "a.zoo")


def test_without_the_package_it_is_said_how_to_install_it(place, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "constriction", None)
    with pytest.raises(ZooError, match=r"pip install 'keras-zoo\[compress\]'"):
        codes_file.encoded(coded())


# --- what PNG and JPEG take


def test_jpeg_is_the_best_that_fits_and_pictures_are_told_apart():
    noise = np.random.RandomState(0).randint(0, 255, (5, 20, 12, 3)).astype("uint8")
    flat = np.repeat(np.arange(5, dtype="uint8"), 20 * 12 * 3).reshape(5, 20, 12, 3) * 40
    large = codecs.jpeg(flat, bits=24.0)
    assert large.fits and large.quality == 95 and large.psnr > 40
    small = codecs.jpeg(noise, bits=0.001)
    assert not small.fits and small.quality == 1
    middle = codecs.jpeg(noise, bits=6.0)
    assert middle.fits and 1 < middle.quality < 95 and middle.bits <= 6.0
    assert codecs.png(flat).bits < 3 < 24 < codecs.png(noise).bits


def test_the_verdict_says_who_wins():
    from zoo.cli.compress import _verdict

    assert "JPEG wins" in _verdict(20.0, 1.0, codecs.Codec(1.0, 22.0, 9))
    assert "3.0 dB better than JPEG" in _verdict(25.0, 1.0, codecs.Codec(1.0, 22.0, 9))
    assert "2.0 times larger" in _verdict(25.0, 1.0, codecs.Codec(2.0, 22.0, 1, fits=False))
