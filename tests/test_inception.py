"""Inception of 2015 beside torch-fidelity's, and files of weights that nobody means."""

from __future__ import annotations

import io
import os
import pickle
import zipfile

import numpy as np
import pytest

import zoo
from tests import inception_weights
from zoo import features, metrics
from zoo.datasets import Access, Data, Split
from zoo.errors import ZooError
from zoo.features import inception, inception_graph, pth
from zoo.metrics.frechet import frechet
from zoo.metrics.kid import kid

pytestmark = pytest.mark.once_in_short

PLACES = slice(None, None, 256)  # of the 2,048 features
BRIGHT = [
    [0.53959608, 1.9006183, 2.7487757, 3.7788811, 1.8854321, 1.4428669, 1.0527707, 0.27056348],
    [0.46766213, 1.9891748, 2.8845568, 3.9855325, 2.0445726, 1.499181, 1.0985169, 0.29793948],
]
GREY = [0.580576, 2.0186131, 3.2351949, 4.3865161, 2.102531, 1.5471689, 1.0732967, 0.39767414]
FID, KID = 196.6387424795682, (2.248574638366699, 0.104872402412673)


def data(x):
    return Data("made", zoo.DataSpec(x.shape[1:]), *[Split(x)] * 3)


@pytest.fixture(scope="module", params=["zip", pytest.param("legacy", marks=pytest.mark.slow)])
def weights(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    inception_weights.write(path, zipped=request.param == "zip")
    return path


def test_features_are_those_of_torch_fidelity(weights):
    x = inception_weights.pictures(1)[:2]
    extractor = features.Inception(str(weights)).load(data(x))
    found = extractor.features(x)
    np.testing.assert_allclose(found[:, PLACES], BRIGHT, atol=1e-4)
    grey = inception_weights.pictures(1, 1, 1)
    np.testing.assert_allclose(extractor.features(grey)[0, PLACES], GREY, atol=1e-4)
    assert extractor.name.endswith("which are not the published 6726825d)")


@pytest.mark.slow
def test_distances_are_those_of_torch_fidelity(weights):
    bright, dark = inception_weights.pictures(1), inception_weights.pictures(2)
    extractor = features.Inception(str(weights)).load(data(bright))
    a, b = extractor.features(bright), extractor.features(dark)
    assert frechet(a, b) == pytest.approx(FID, rel=1e-3)
    assert kid(a, b, subsets=10, size=3, seed=2020) == pytest.approx(KID, rel=1e-3)
    floats = bright.astype("float32") / np.float32(255)
    np.testing.assert_allclose(extractor.features(floats), a, atol=1e-4)
    logits = a @ inception_weights.arrays()["fc.weight"].T  # without their bias
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(extractor.probabilities(a), p, atol=1e-4)


def test_resizing_takes_the_pixels_that_tensorflow_1_took():
    """At 299 x 299 nothing changes; of two pixels, place i is at 2 i / 299, the last repeated."""
    x = np.random.RandomState(0).rand(1, 299, 299, 3).astype("float32")
    np.testing.assert_array_equal(np.asarray(inception.resized(x, (299, 299))), x)
    two = np.array([0.0, 10.0], "float32").reshape(1, 2, 1, 1)
    found = np.asarray(inception.resized(two, (2, 1)))[0, :, 0, 0]
    np.testing.assert_allclose(found, 10 * np.minimum(2 * np.arange(299) / 299, 1), rtol=1e-5)


@pytest.mark.backend_free
def test_padding_does_not_count_in_averages():
    ones = np.ones((1, 5, 4, 2), "float32")
    np.testing.assert_allclose(np.asarray(inception_graph._average(ones)), ones, rtol=1e-6)


@pytest.mark.backend_free
def test_without_the_file_it_is_said_where_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("ZOO_DATA", raising=False)
    made = data(np.zeros((4, 8, 8, 3), "uint8"))
    place = tmp_path / "datasets" / inception.FILE
    with pytest.raises(ZooError, match="there are no Inception weights at") as told:
        metrics.FID().prepare(made, Access(), None)
    assert str(place) in str(told.value) and inception.SOURCE in str(told.value)
    missing = features.Inception("nowhere.pth")
    with pytest.raises(ZooError, match=r"at nowhere\.pth\. Get https://.*space\.weights=FILE"):
        missing.load(made)
    with pytest.raises(ZooError, match="1 or 3 channels, and those of made have 2"):
        features.Inception().check(data(np.zeros((4, 8, 8, 2), "uint8")))


@pytest.mark.backend_free
def test_other_weights_are_refused(tmp_path):
    import torch

    path = tmp_path / "other.pth"
    torch.save({"fc.weight": torch.zeros(10, 2)}, path)
    with pytest.raises(ZooError, match=r"fc\.weight is of shape \(1008, 2048\), and the file has"):
        features.Inception(str(path)).load(data(np.zeros((4, 8, 8, 3), "uint8")))


# --- files of PyTorch, read without it


@pytest.mark.backend_free
@pytest.mark.parametrize("zipped", [True, False])
def test_a_state_dict_is_read_as_pytorch_reads_it(tmp_path, zipped):
    import torch

    whole = torch.arange(12, dtype=torch.float32)
    state = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)).state_dict()
    state |= {"half": torch.ones(2, 2, dtype=torch.float16), "part": whole[4:10].reshape(2, 3)}
    state |= {"shared": whole, "count": torch.tensor(3), "empty": torch.zeros(0, 4)}
    path = tmp_path / "state.pth"
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    found = pth.arrays(path.read_bytes(), "state.pth")
    assert list(found) == list(state)
    for name, tensor in state.items():
        np.testing.assert_array_equal(found[name], tensor.numpy())
        assert found[name].dtype == tensor.numpy().dtype


class Runs:
    """What runs a command where a pickle is loaded as Python does it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def archive(pickled, compression=zipfile.ZIP_STORED, **files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as made:
        made.writestr("archive/data.pkl", pickled)
        for name, raw in files.items():
            made.writestr(f"archive/data/{name}", raw)
    return content.getvalue()


def tensor(shape=(2,), strides=(1,), offset=0, count=2, kind="FloatStorage"):
    """A pickle of ``{"x": tensor}`` as PyTorch writes it."""

    def number(n):
        return b"J" + n.to_bytes(4, "little", signed=True)

    def text(t):
        return b"X" + len(t).to_bytes(4, "little") + t.encode()

    def tuple_of(items):
        return b"(" + b"".join(items) + b"t"

    storage = [text("storage"), f"ctorch\n{kind}\n".encode(), text("0"), text("cpu"), number(count)]
    given = [tuple_of(storage) + b"Q", number(offset), tuple_of(map(number, shape))]
    given += [tuple_of(map(number, strides)), b"\x89", b"ccollections\nOrderedDict\n)R"]
    made = b"ctorch._utils\n_rebuild_tensor_v2\n" + tuple_of(given) + b"R"
    return b"\x80\x02}" + text("x") + made + b"s."


RAW = np.array([1, 2], "<f4").tobytes()


@pytest.mark.backend_free
def test_a_pickle_made_by_hand():
    found = pth.arrays(archive(tensor(), **{"0": RAW}), "f")
    np.testing.assert_array_equal(found["x"], [1, 2])


@pytest.mark.backend_free
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "damaged|neither"),
        (b"PK\x03\x04", "damaged|neither|No more|operation"),
        (archive(b"."), "damaged"),
        (archive(b"\x80\x02}"), "damaged|does not end"),
        (archive(pickle.dumps([1, 2], 2)), "holds list, and no dictionary"),
        (archive(pickle.dumps({"x": 3}, 2)), '"x" is no tensor'),
        (archive(pickle.dumps({"x": np.ones(3)})), "which no state dict needs"),
        (archive(tensor(), zipfile.ZIP_DEFLATED, **{"0": RAW}), "is compressed"),
        (archive(tensor(), **{"0": RAW[:4]}), "of another size than it says"),
        (archive(tensor()), "damaged"),
        (archive(tensor(offset=1), **{"0": RAW}), "leaves its storage"),
        (archive(tensor(offset=-1), **{"0": RAW}), "a tensor of no size"),
        (archive(tensor(shape=(-2,)), **{"0": RAW}), "a tensor of no size"),
        (archive(tensor(shape=(1 << 30,)), **{"0": RAW}), "leaves its storage"),
        (archive(tensor(strides=(0,)), **{"0": RAW}), "not contiguous"),
        (archive(tensor((1,) * 9, (1,) * 9), **{"0": RAW}), "not contiguous"),
        (archive(tensor(kind="UntypedStorage"), **{"0": RAW}), "a storage of type"),
        (archive(tensor(count=1 << 30), **{"0": RAW}), "of another size than it says"),
        (archive(b"\x80\x02" + b"N0" * 60_000 + b"."), "operation POP|too long"),
        (archive(b"\x80\x02" + b"}" * 200_000 + b"."), "too long"),
        (archive(b"\x80\x02r\xff\xff\xff\xff."), "damaged"),
    ],
)
def test_files_that_nobody_means_are_one_sentence(content, message):
    with pytest.raises(ZooError, match=message):
        pth.arrays(content, "f.pth")


@pytest.mark.backend_free
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_what_a_pickle_would_run_is_not_run(tmp_path, protocol):
    path = tmp_path / "ran"
    for pickled in (pickle.dumps(Runs(path), protocol), pickle.dumps({"x": Runs(path)}, protocol)):
        for content in (archive(pickled), pickled):
            with pytest.raises(ZooError, match="is no PyTorch file of weights"):
                pth.arrays(content, "f.pth")
    assert not path.exists()


@pytest.mark.backend_free
def test_a_damaged_file_is_told_wherever_it_is_damaged(tmp_path):
    import torch

    path = tmp_path / "state.pth"
    for zipped in (True, False):
        torch.save({"x": torch.ones(3)}, path, _use_new_zipfile_serialization=zipped)
        whole = path.read_bytes()
        rng = np.random.RandomState(0)
        for _ in range(300):
            content = bytearray(whole)
            for place in rng.randint(0, len(whole), 3):
                content[place] = rng.randint(256)
            try:
                pth.arrays(bytes(content[: rng.randint(len(whole) // 2, len(whole) + 1)]), "f.pth")
            except ZooError as error:
                assert str(error).startswith("f.pth is no PyTorch file of weights")
