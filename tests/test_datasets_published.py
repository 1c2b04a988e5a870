"""Fashion-MNIST and CIFAR-10, from files made here in their real formats."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile

import numpy as np
import pytest

from zoo.datasets import CIFAR10, Access, FashionMNIST, cifar10, fashion_mnist
from zoo.errors import ZooError
from zoo.plugin.model import DataSpec

pytestmark = pytest.mark.backend_free


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No data of this machine, no network."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("ZOO_DATA", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(cifar10, "MIRRORS", (("http://127.0.0.1:9/", (cifar10.ARCHIVE,)),))
    monkeypatch.setattr(fashion_mnist, "MIRRORS", (("http://127.0.0.1:9/", ("a",)),))


@pytest.fixture
def access(tmp_path):
    return Access(data_dir=tmp_path, say=lambda line: None)


@pytest.fixture
def fashion(tmp_path, monkeypatch):
    """A tiny Fashion-MNIST whose hashes are taken for the real ones."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "fashion-mnist"
    folder.mkdir()
    arrays = [
        rng.integers(0, 256, (40, 28, 28), np.uint8),
        (np.arange(40) % 10).astype(np.uint8),
        rng.integers(0, 256, (12, 28, 28), np.uint8),
        (np.arange(12) % 10).astype(np.uint8),
    ]
    hashes = {}
    for name, array in zip(fashion_mnist.HASHES, arrays, strict=True):
        head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
        content = gzip.compress(head + array.tobytes())
        (folder / name).write_bytes(content)
        hashes[name] = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(fashion_mnist, "HASHES", hashes)
    return arrays


def test_fashion_mnist(access, fashion):
    data = FashionMNIST(validation=10).load(access)
    assert data.name == "fashion_mnist"
    assert data.spec == DataSpec((28, 28, 1), classes=10)
    np.testing.assert_array_equal(data.train.x[..., 0], fashion[0][:30])
    np.testing.assert_array_equal(data.validation.y, fashion[1][30:])
    np.testing.assert_array_equal(data.test.x[..., 0], fashion[2])
    assert data.train.y.dtype == np.int32
    few = FashionMNIST(validation=10, limit=7).load(access)
    assert [len(split) for split in (few.train, few.validation, few.test)] == [7, 7, 7]
    assert data.class_names[0] == "T-shirt/top" and len(data.class_names) == 10


def test_fashion_mnist_is_not_taken_for_mnist(tmp_path, access, fashion):
    for path in (tmp_path / "fashion-mnist").iterdir():
        path.rename(tmp_path / path.name)
    with pytest.raises(ZooError, match="Fashion-MNIST is not on this machine"):
        FashionMNIST().load(access)


def test_fashion_mnist_that_differs(tmp_path, access, fashion):
    path = tmp_path / "fashion-mnist" / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes() + b"!")
    with pytest.raises(ZooError, match=r"t10k-labels-idx1-ubyte.gz is not used: .*SHA-256"):
        FashionMNIST().load(access)
    path.unlink()
    with pytest.raises(ZooError, match=r"a part of Fashion-MNIST: t10k-labels-idx1-ubyte.gz"):
        FashionMNIST().load(access)


def test_published_hashes_are_those_of_files():
    assert len(fashion_mnist.HASHES) == 4
    assert all(len(value) == 64 for value in (*fashion_mnist.HASHES.values(), cifar10.SHA256))


@pytest.fixture
def cifar(tmp_path, monkeypatch):
    """A tiny archive of CIFAR-10, 20 pictures a file, as ``{file: (labels, planes)}``."""
    rng = np.random.default_rng(0)
    parts = {}
    path = tmp_path / cifar10.ARCHIVE
    with tarfile.open(path, "w:gz") as archive:
        for name in (*reversed(cifar10.TRAIN), "cifar-10-batches-bin/readme.html", *cifar10.TEST):
            labels = (np.arange(20) % 10).astype(np.uint8)
            planes = rng.integers(0, 256, (20, 3, 32, 32), np.uint8)
            parts[name] = labels, planes
            records = np.concatenate([labels[:, None], planes.reshape(20, -1)], axis=1)
            info = tarfile.TarInfo(name)
            info.size = records.size
            archive.addfile(info, io.BytesIO(records.tobytes()))
    monkeypatch.setattr(cifar10, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return parts


def test_cifar10(access, cifar):
    data = CIFAR10(validation=10).load(access)
    assert data.name == "cifar10"
    assert data.spec == DataSpec((32, 32, 3), classes=10)
    assert [len(s) for s in (data.train, data.validation, data.test)] == [90, 10, 20]
    labels, planes = cifar[cifar10.TRAIN[0]]
    np.testing.assert_array_equal(data.train.x[:20, :, :, 2], planes[:, 2])
    np.testing.assert_array_equal(data.train.y[:20], labels)
    np.testing.assert_array_equal(data.test.x[:, :, :, 0], cifar[cifar10.TEST[0]][1][:, 0])
    assert data.train.x.flags["C_CONTIGUOUS"] and data.train.x.flags.writeable


def test_cifar10_that_differs(tmp_path, access, cifar):
    path = tmp_path / cifar10.ARCHIVE
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ZooError, match=r"cifar-10-binary.tar.gz is not used: .*CIFAR-10 down"):
        CIFAR10().load(access)


def test_cifar10_that_is_not_there(access, tmp_path):
    with pytest.raises(ZooError) as caught:
        CIFAR10().load(access)
    assert str(tmp_path / cifar10.ARCHIVE) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dataset", [FashionMNIST, CIFAR10])
def test_settings_are_checked(dataset):
    with pytest.raises(ZooError, match=f"{dataset.__name__}: validation is an integer"):
        dataset(validation=-1)


# Unbalanced on purpose.


def test_imbalance(access, fashion):
    whole = FashionMNIST(validation=10).load(access)
    data = FashionMNIST(validation=10, imbalance={3: 0.34, 7: 0}).load(access)
    assert np.bincount(data.train.y, minlength=10).tolist() == [3, 3, 3, 1, 3, 3, 3, 0, 3, 3]
    assert data.validation.y.tolist() == whole.validation.y.tolist()
    assert data.fingerprint != whole.fingerprint
    again = FashionMNIST(validation=10, imbalance={"3": 0.34, "7": 0.0}).load(access)
    assert again.fingerprint == data.fingerprint
    assert len(FashionMNIST(validation=10, imbalance={3: 1}).load(access).train) == 30


@pytest.mark.parametrize("value", [{3: 1.5}, {-1: 0.5}, {"three": 0.5}, [0.5], {3: None}])
def test_imbalance_is_checked(value):
    with pytest.raises(ZooError, match=r"FashionMNIST: imbalance is \{label: share\}"):
        FashionMNIST(imbalance=value)


def test_imbalance_of_a_class_that_is_not_there(access, fashion):
    with pytest.raises(ZooError, match="no training picture has the label 12"):
        FashionMNIST(validation=10, imbalance={12: 0.5}).load(access)
