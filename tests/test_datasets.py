"""Where data comes from, what is refused, and how it is split."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
import zipfile

import numpy as np
import pytest

from zoo import Dataset
from zoo.datasets import MNIST, Access, Data, Digits, Split, fetch, mnist
from zoo.datasets.pipeline import binarize_once
from zoo.errors import ZooError
from zoo.plugin.dataset import sha256
from zoo.plugin.model import DataSpec

pytestmark = pytest.mark.backend_free


REAL = os.environ.get("ZOO_DATA", "")
STAND_IN = "digits (stand-in for mnist)"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No data of this machine, no network: an empty cache and a mirror that is down."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("ZOO_DATA", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(mnist, "MIRRORS", (("http://127.0.0.1:9/", ("mnist.npz",)),))


@pytest.fixture
def arrays(monkeypatch):
    """A tiny MNIST whose hashes are taken for the real ones."""
    rng = np.random.default_rng(0)
    tiny = {
        "x_train": rng.integers(0, 256, (40, 28, 28), np.uint8),
        "y_train": rng.integers(0, 10, 40).astype(np.uint8),
        "x_test": rng.integers(0, 256, (12, 28, 28), np.uint8),
        "y_test": rng.integers(0, 10, 12).astype(np.uint8),
    }
    monkeypatch.setattr(mnist, "HASHES", {name: sha256(a) for name, a in tiny.items()})
    return tiny


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "data"
    path.mkdir()
    return path


@pytest.fixture
def lines():
    return []


@pytest.fixture
def access(folder, lines):
    return Access(data_dir=folder, say=lines.append)


@pytest.fixture
def serve():
    """Start a mirror on the loopback for a folder; gives its address."""
    servers = []

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    def start(folder, handler=Quiet):
        serving = functools.partial(handler, directory=str(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), serving)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    start.handler = Quiet
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def write_idx(folder, arrays, compress=True):
    for name, file in mnist.IDX_FILES.items():
        array = arrays[name]
        head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
        content = head + array.tobytes()
        if compress:
            (folder / f"{file}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / file).write_bytes(content)


# Finding and reading.


def test_archive_in_the_data_dir(access, folder, lines, arrays):
    np.savez_compressed(folder / "mnist.npz", **arrays)
    data = MNIST(validation=10).load(access)
    assert data.name == "mnist"
    assert data.spec == DataSpec((28, 28, 1), classes=10)
    assert [len(s) for s in (data.train, data.validation, data.test)] == [30, 10, 12]
    np.testing.assert_array_equal(data.train.x[..., 0], arrays["x_train"][:30])
    np.testing.assert_array_equal(data.validation.y, arrays["y_train"][30:])
    np.testing.assert_array_equal(data.test.y, arrays["y_test"])
    assert data.train.x.dtype == np.uint8
    assert data.train.y.dtype == np.int32
    assert lines == []


@pytest.mark.parametrize("compress", [True, False])
def test_four_idx_files_give_the_same_data(access, folder, arrays, compress, tmp_path):
    np.savez(folder / "mnist.npz", **arrays)
    expected = MNIST(validation=10).load(access)
    other = tmp_path / "idx"
    other.mkdir()
    write_idx(other, arrays, compress)
    data = MNIST(validation=10).load(Access(data_dir=other))
    assert data.fingerprint == expected.fingerprint
    assert data.train.x.flags.writeable


def test_some_idx_files_only(access, folder, arrays):
    write_idx(folder, arrays)
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(ZooError, match=r"part of MNIST: t10k-labels-idx1-ubyte \(or \.gz\)"):
        MNIST().load(access)


def test_data_dir_before_variable_before_cache(tmp_path, monkeypatch, arrays):
    homes = {name: tmp_path / name for name in ("option", "variable", "keras/datasets")}
    for path in homes.values():
        path.mkdir(parents=True)
        np.savez(path / "mnist.npz", **arrays)
    monkeypatch.setenv("ZOO_DATA", str(homes["variable"]))
    option = Access(data_dir=homes["option"])
    assert mnist.find(option) == [homes["option"] / "mnist.npz"]
    assert mnist.find(Access()) == [homes["variable"] / "mnist.npz"]
    (homes["variable"] / "mnist.npz").unlink()
    assert mnist.find(Access()) == [homes["keras/datasets"] / "mnist.npz"]
    monkeypatch.delenv("ZOO_DATA")
    assert mnist.find(Access()) == [homes["keras/datasets"] / "mnist.npz"]


@pytest.mark.parametrize("origin", ["--data-dir", "ZOO_DATA"])
def test_a_folder_that_is_not_there(tmp_path, monkeypatch, origin):
    missing = tmp_path / "missing"
    monkeypatch.setenv("ZOO_DATA", str(missing))
    access = Access(data_dir=missing) if origin == "--data-dir" else Access()
    with pytest.raises(ZooError, match=f"{origin} names .*missing, which is no folder"):
        MNIST().load(access)


# Files that are refused, and kept.


def _wrong_pictures(path, arrays):
    np.savez(path, **{**arrays, "x_test": arrays["x_test"] ^ 1})


def _truncated(path, arrays):
    np.savez(path, **arrays)
    path.write_bytes(path.read_bytes()[:-1000])


def _flipped_byte(path, arrays):
    np.savez(path, **arrays)
    content = bytearray(path.read_bytes())
    content[20_000] ^= 255
    path.write_bytes(content)


def _no_archive(path, arrays):
    path.write_text("<html>Please log in</html>")


def _empty(path, arrays):
    path.touch()


def _another_archive(path, arrays):
    np.savez(path, images=arrays["x_train"])


def _array_in_disguise(path, arrays):
    with path.open("wb") as file:
        np.save(file, arrays["x_train"])


def _pickle(path, arrays):
    with zipfile.ZipFile(path, "w") as archive:
        for name in arrays:
            archive.writestr(f"{name}.npy", pickle.dumps(os.getcwd))


def _object_arrays(path, arrays):
    np.savez(path, **{name: np.array([{}], object) for name in arrays})


def _dangling_link(path, arrays):
    path.symlink_to("nowhere")


def _folder(path, arrays):
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_wrong_pictures, "x_test is not that of MNIST"),
        (_truncated, "no complete .npz archive"),
        (_flipped_byte, "CRC"),
        (_no_archive, "no complete .npz archive"),
        (_empty, "no complete .npz archive"),
        (_another_archive, "it has no x_train"),
        (_array_in_disguise, "no complete .npz archive"),
        (_pickle, "x_train is not that of MNIST"),
        (_object_arrays, "allow_pickle"),
        (_dangling_link, "No such file"),
        (_folder, "Is a directory"),
    ],
)
def test_wrong_file_is_refused_named_and_kept(
    access, folder, arrays, serve, tmp_path, monkeypatch, spoil, reason
):
    good = tmp_path / "good"
    good.mkdir()
    np.savez(good / "mnist.npz", **arrays)
    monkeypatch.setattr(mnist, "MIRRORS", ((serve(good), ("mnist.npz",)),))
    path = folder / "mnist.npz"
    spoil(path, arrays)
    before = path.lstat().st_mtime_ns, path.lstat().st_size
    with pytest.raises(ZooError) as caught:
        MNIST(validation=10).load(access)
    message = str(caught.value)
    assert str(path) in message
    assert reason in message
    assert "move it away" in message
    assert "\n" not in message
    assert (path.lstat().st_mtime_ns, path.lstat().st_size) == before


@pytest.mark.parametrize("keep", [0, 3, 10, 200])
def test_truncated_idx_file_is_named(access, folder, arrays, keep):
    write_idx(folder, arrays, compress=False)
    path = folder / "t10k-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ZooError, match="t10k-images-idx3-ubyte is not used"):
        MNIST().load(access)


def test_truncated_gz_file_is_named(access, folder, arrays):
    write_idx(folder, arrays)
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(ZooError, match=r"train-images-idx3-ubyte.gz is not used"):
        MNIST().load(access)


# Downloading.


@pytest.fixture
def good(tmp_path, arrays):
    path = tmp_path / "mirror"
    path.mkdir()
    np.savez(path / "mnist.npz", **arrays)
    write_idx(path, arrays)
    return path


def test_download_is_kept_in_the_data_dir(access, folder, lines, good, serve, monkeypatch):
    monkeypatch.setattr(mnist, "MIRRORS", ((serve(good), ("mnist.npz",)),))
    first = MNIST(validation=10).load(access)
    assert first.name == "mnist"
    assert [path.name for path in folder.iterdir()] == ["mnist.npz"]
    assert len(lines) == 1
    assert lines[0].startswith("downloading http://127.0.0.1")
    monkeypatch.setattr(mnist, "MIRRORS", ())
    assert MNIST(validation=10).load(access).fingerprint == first.fingerprint


def test_download_without_a_data_dir_goes_to_the_cache(tmp_path, good, serve, monkeypatch):
    monkeypatch.setattr(mnist, "MIRRORS", ((serve(good), ("mnist.npz",)),))
    assert MNIST(validation=10).load(Access(say=lambda line: None)).name == "mnist"
    assert [p.name for p in (tmp_path / "keras" / "datasets").iterdir()] == ["mnist.npz"]


def test_wrong_mirror_is_refused_and_the_next_one_taken(
    access, folder, lines, good, serve, monkeypatch, arrays, tmp_path
):
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    _wrong_pictures(wrong / "mnist.npz", arrays)
    names = tuple(f"{name}.gz" for name in mnist.IDX_FILES.values())
    mirrors = ((serve(wrong), ("mnist.npz",)), (serve(good), names))
    monkeypatch.setattr(mnist, "MIRRORS", mirrors)
    assert MNIST(validation=10).load(access).name == "mnist"
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    assert any("refused" in line and "x_test" in line for line in lines)


def test_wrong_mirror_alone_leaves_nothing(
    access, folder, lines, serve, monkeypatch, arrays, tmp_path
):
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    _wrong_pictures(wrong / "mnist.npz", arrays)
    monkeypatch.setattr(mnist, "MIRRORS", ((serve(wrong), ("mnist.npz",)),))
    assert MNIST().load(access).name == STAND_IN
    assert list(folder.iterdir()) == []
    assert "127.0.0.1 sent something else: its x_test is not that of MNIST" in lines[-1]


def test_connection_that_breaks_off(access, folder, lines, good, serve, monkeypatch):
    class Breaks(serve.handler):
        def copyfile(self, source, target):
            target.write(source.read(1000))

    monkeypatch.setattr(mnist, "MIRRORS", ((serve(good, Breaks), ("mnist.npz",)),))
    assert MNIST().load(access).name == STAND_IN
    assert list(folder.iterdir()) == []
    assert "closed after 1,000 of" in lines[-1]


def test_mirror_without_the_file(access, lines, good, serve, monkeypatch):
    monkeypatch.setattr(mnist, "MIRRORS", ((serve(good), ("other.npz",)),))
    assert MNIST().load(access).name == STAND_IN
    assert "127.0.0.1: File not found" in lines[0]


def test_progress_is_told(access, lines, good, serve, monkeypatch):
    class Slow(serve.handler):
        def copyfile(self, source, target):
            content = source.read()
            target.write(content[:20_000])
            time.sleep(1.2)
            target.write(content[20_000:])

    monkeypatch.setattr(fetch, "_CHUNK", 10_000)
    monkeypatch.setattr(mnist, "MIRRORS", ((serve(good, Slow), ("mnist.npz",)),))
    MNIST(validation=10).load(access)
    assert any(line.startswith("  mnist.npz: 0.0 MB of 0.0 MB") for line in lines)


def test_silent_mirror_is_given_up(access, lines, monkeypatch):
    monkeypatch.setattr(fetch, "ANSWER_SECONDS", 0.3)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        monkeypatch.setattr(mnist, "MIRRORS", ((address, ("mnist.npz",)),))
        began = time.monotonic()
        assert MNIST().load(access).name == STAND_IN
        assert time.monotonic() - began < 10  # scikit-learn's import included
    assert "no answer within 0.3 s" in lines[0]


def test_slow_name_server_is_given_up(access, monkeypatch, lines):
    release = threading.Event()
    monkeypatch.setattr(fetch, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: release.wait(20) and [])
    assert MNIST().load(access).name == STAND_IN
    release.set()
    assert "no answer within" in lines[0]


# The stand-in.


def test_stand_in_says_so_in_one_line(access, lines):
    data = MNIST().load(access)
    assert data.name == STAND_IN
    assert data.spec == DataSpec((28, 28, 1), classes=10)
    assert data.train.x.shape == (1397, 28, 28, 1)
    assert len(lines) == 1
    assert STAND_IN in lines[0]
    assert "127.0.0.1: Connection refused" in lines[0]
    assert data.fingerprint == Digits(size=28).load().fingerprint


def test_stand_in_keeps_the_limit(access):
    full, limited = MNIST().load(access), MNIST(limit=100).load(access)
    assert len(limited.train) == 100
    assert len(limited.test) == len(limited.validation) == 100
    assert limited.fingerprint != full.fingerprint


def test_strict_refuses_with_three_ways(folder, lines, tmp_path):
    with pytest.raises(ZooError) as caught:
        MNIST().load(Access(data_dir=folder, strict=True, say=lines.append))
    message = str(caught.value)
    for part in ("--strict-data", "--data-dir", "ZOO_DATA", str(tmp_path / "keras"), "network"):
        assert part in message
    assert all(f"({number})" in message for number in (1, 2, 3))
    assert lines == []


def test_without_scikit_learn(access, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ZooError, match=r"pip install scikit-learn.*\(1\).*\(2\).*\(3\)"):
        MNIST().load(access)
    with pytest.raises(ZooError, match="pip install scikit-learn"):
        Digits().load()


def test_cache_that_cannot_be_written(tmp_path, monkeypatch, lines):
    (tmp_path / "keras").write_text("a file in the way")
    assert MNIST().load(Access(say=lines.append)).name == STAND_IN
    assert len(lines) == 1


# Some examples that stand for all.


def test_some_of_examples_that_come_class_by_class_are_of_every_class():
    y = np.repeat([0, 1, 2], [6, 3, 3]).astype("int32")
    some = Split(np.arange(12)[:, None], y, paired={"half": np.arange(12) / 2}).some(4)
    assert some.x[:, 0].tolist() == [0, 3, 6, 9]
    assert some.y.tolist() == [0, 0, 1, 2]
    assert some.paired["half"].tolist() == [0, 1.5, 3, 4.5]
    twice = Split(np.arange(8)[:, None], np.array([0, 0, 1, 1, 0, 0, 1, 1], "int32")).some(2)
    assert twice.x[:, 0].tolist() == [0, 2]  # of rows 0, 1, 4, 5 and 2, 3, 6, 7


@pytest.mark.parametrize("y", [None, [0, 0, 0, 0, 0, 0], [1, 0, 1, 0, 0, 1]])
def test_some_of_other_examples_are_the_first(y):
    whole = Split(np.arange(6)[:, None], None if y is None else np.array(y, "int32"))
    assert whole.some(4).x[:, 0].tolist() == [0, 1, 2, 3]
    assert whole.some(9).x[:, 0].tolist() == whole.some(None).x[:, 0].tolist() == list(range(6))


# Digits.


def test_digits_are_split_by_class():
    data = Digits().load()
    assert data.name == "digits"
    assert data.spec == DataSpec((8, 8, 1), classes=10)
    splits = (data.train, data.validation, data.test)
    assert [len(split) for split in splits] == [1397, 200, 200]
    for split in splits:
        assert split.x.dtype == np.uint8
        assert split.y.dtype == np.int32
        share = np.bincount(split.y, minlength=10) / len(split)
        np.testing.assert_allclose(share, 0.1, atol=0.015)
    assert data.train.x.max() == 255
    assert data.train.x.min() == 0


def test_digits_splits_share_no_row():
    from sklearn.datasets import load_digits

    from zoo.datasets.splits import hold_out

    rows = np.concatenate(hold_out(1797, 200, 200, load_digits().target, "digits"))
    np.testing.assert_array_equal(np.sort(rows), np.arange(1797))


def test_digits_are_the_same_everywhere():
    fingerprint = "72e863a4da9d1f62a74777c1eca2417f0c1750ceaf3b849b6497edb11e39c814"
    assert Digits().load().fingerprint == fingerprint


def test_resizing_keeps_the_picture():
    small, large = Digits().load(), Digits(size=32).load()
    assert large.train.x.shape == (1397, 32, 32, 1)
    np.testing.assert_array_equal(small.test.y, large.test.y)
    means = large.test.x.reshape(200, 8, 4, 8, 4).mean((2, 4))
    assert np.corrcoef(means.ravel(), small.test.x.ravel())[0, 1] > 0.95


# Settings.


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "MNIST: batch_size is an integer, at least 1; got 0"),
        ({"batch_size": 12.5}, "got 12.5"),
        ({"batch_size": True}, "got True"),
        ({"validation": -1}, "validation is an integer, from 0 to 59,999; got -1"),
        ({"validation": 60_000}, "got 60000"),
        ({"limit": 0}, "limit is an integer, from 1 to 55,000; got 0"),
        ({"limit": 55_001}, "got 55001"),
        ({"binarize": "dynamik"}, "'dynamic' or 'fixed'; got 'dynamik'; did you mean 'dynamic'?"),
        ({"binarize": True}, "got True"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(ZooError) as caught:
        MNIST(**settings)
    assert message in str(caught.value)


def test_digits_settings_are_checked():
    with pytest.raises(ZooError, match="Digits: size is an integer, from 1 to 1,024; got 0"):
        Digits(size=0)
    with pytest.raises(ZooError, match="Digits: binarize"):
        Digits(binarize="fix")


def test_settings_are_compared_by_value():
    assert MNIST(batch_size=64) == MNIST(5_000, batch_size=64)
    assert MNIST() != MNIST(binarize="dynamic")


# The parts.


def test_labels_have_to_fit():
    with pytest.raises(ZooError, match="3 examples but 2 labels"):
        Split(np.zeros((3, 2)), np.zeros(2, np.int32))


def test_fingerprint_tells_data_apart():
    def data(x, y=None):
        split = Split(np.asarray(x, np.float32), y)
        return Data("points", DataSpec((2,)), split, split.first(1), split.first(1))

    one = data([[1, 2], [3, 4]])
    assert one.fingerprint == data([[1, 2], [3, 4]]).fingerprint
    assert one.fingerprint != data([[1, 2], [3, 5]]).fingerprint
    assert one.fingerprint != data([[1, 2], [3, 4]], np.zeros(2, np.int32)).fingerprint


def test_sha256_of_one_array_is_that_of_its_bytes():
    array = np.asfortranarray(np.arange(12, dtype=np.uint8).reshape(3, 4))
    assert sha256(array) == hashlib.sha256(bytes(range(12))).hexdigest()


def test_dataset_has_to_load():
    with pytest.raises(NotImplementedError, match="load"):
        Dataset().load()


def test_says_on_stderr(capsys):
    Access().say("one line")
    out, err = capsys.readouterr()
    assert (out, err) == ("", "one line\n")


def test_importing_settings_imports_nothing_heavy():
    code = (
        "import sys; from zoo.datasets import MNIST, Digits, Access; MNIST(); Digits();"
        "print(sorted({'numpy', 'keras', 'PIL', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_unknown_name():
    import zoo.datasets

    with pytest.raises(AttributeError, match="no attribute 'MINST'"):
        _ = zoo.datasets.MINST
    assert set(zoo.datasets.__all__) <= set(dir(zoo.datasets))


# The real thing.

BINARIZED_FROM_SEED_0 = {  # SHA-256 of uint8 zeros and ones
    "train": "e37eb76ed893ebb3a1810696a7df1df4161b755d4d66a291013629a2c51ecbc5",
    "test": "c0dba6ab63a4411cf945810638e24560c11d62fc877f63a66e9917ff45e3c185",
}

real = pytest.mark.skipif(not REAL, reason="ZOO_DATA names no folder with MNIST")


@real
def test_real_mnist():
    data = MNIST().load(Access(data_dir=REAL, strict=True))
    assert [len(s) for s in (data.train, data.validation, data.test)] == [55_000, 5_000, 10_000]
    assert data.train.y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert data.test.y[:5].tolist() == [7, 2, 1, 0, 4]
    assert len(MNIST(limit=100).load(Access(data_dir=REAL)).train) == 100


@real
def test_real_mnist_binarized_once_is_that_of_the_published_results():
    data = MNIST().load(Access(data_dir=REAL, strict=True))
    found = {
        name: sha256(binarize_once(getattr(data, name).x, 0, name))
        for name in BINARIZED_FROM_SEED_0
    }
    assert found == BINARIZED_FROM_SEED_0


@real
def test_real_mnist_truncated(folder, access):
    content = next(path for path in mnist.find(Access(data_dir=REAL))).read_bytes()
    (folder / "mnist.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(ZooError, match="no complete"):
        MNIST().load(access)
