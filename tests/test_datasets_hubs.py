"""Hugging Face and TensorFlow Datasets, on files made here by their own packages."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image

from zoo.datasets import TFDS, Access, HuggingFace
from zoo.errors import ZooError
from zoo.plugin.model import DataSpec

pytestmark = pytest.mark.backend_free


@pytest.fixture
def access(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    return Access(data_dir=tmp_path, say=lambda line: None)


@pytest.mark.parametrize(
    ("dataset", "module", "extra"),
    [
        (HuggingFace(path="a"), "datasets", "huggingface"),
        (TFDS(name="a"), "tensorflow_datasets", "tfds"),
    ],
)
def test_package_that_is_not_installed(access, monkeypatch, dataset, module, extra):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ZooError, match=rf'pip install "keras-zoo\[{extra}\]"'):
        dataset.load(access)


# Hugging Face.


@pytest.fixture
def hub(tmp_path):
    """``(datasets, make)``: ``make(n)`` is a Dataset of n pictures with labels 0 to 2."""
    datasets = pytest.importorskip("datasets", reason="Hugging Face datasets are not installed")
    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=["a", "b", "c"])}
    )

    def make(n):
        pictures = [Image.fromarray(np.full((6, 8), i, np.uint8)) for i in range(n)]
        columns = {"image": pictures, "label": [i % 3 for i in range(n)]}
        return datasets.Dataset.from_dict(columns, features=features)

    return datasets, make


def test_parquet(hub, tmp_path, access):
    folder = tmp_path / "pics" / "data"
    folder.mkdir(parents=True)
    hub[1](30).to_parquet(str(folder / "train-00000-of-00001.parquet"))
    hub[1](6).to_parquet(str(folder / "test-00000-of-00001.parquet"))
    data = HuggingFace(path="pics", validation=0.2).load(access)
    assert data.name == "pics"
    assert data.spec == DataSpec((6, 8, 1), classes=3)
    assert data.class_names == ("a", "b", "c")
    assert [len(s) for s in (data.train, data.validation, data.test)] == [24, 6, 6]
    assert data.test.x[:, 0, 0, 0].tolist() == list(range(6))
    assert data.test.y.tolist() == [0, 1, 2, 0, 1, 2]
    assert np.bincount(data.validation.y).tolist() == [2, 2, 2]
    assert HuggingFace(path="pics", size=4, mode="rgb").load(access).spec.shape == (4, 4, 3)
    assert HuggingFace(path="pics", label=None).load(access).spec == DataSpec((6, 8, 1))


def test_saved_to_disk(hub, tmp_path, access):
    splits = hub[0].DatasetDict({"train": hub[1](20), "validation": hub[1](4)})
    splits.save_to_disk(str(tmp_path / "saved"))
    data = HuggingFace(path="saved").load(access)
    assert [len(s) for s in (data.train, data.validation, data.test)] == [18, 4, 2]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["b", "a", "c"], ("a", "b", "c")),
        ([0, 2, 1], ()),
        ([[1, 0, 0], [0, 1, 0], [0, 0, 1]], ()),
    ],
)
def test_labels_of_other_kinds(hub, tmp_path, access, labels, names):
    folder = tmp_path / "pics"
    folder.mkdir()
    pictures = [Image.fromarray(np.full((6, 8), i * 257, np.uint16)) for i in range(30)]
    columns = {"image": pictures, "label": labels * 10}
    split = hub[0].Dataset.from_dict(columns).cast_column("image", hub[0].Image())
    split.to_parquet(str(folder / "train.parquet"))
    data = HuggingFace("pics", validation=0, test=0).load(access)
    assert data.spec == DataSpec((6, 8, 1), classes=3) and data.class_names == names
    assert data.train.x[:, 0, 0, 0].tolist() == list(range(30))
    expected = {"b": 1, "a": 0, "c": 2, 0: 0, 1: 1, 2: 2}
    whole = [label.index(1) if isinstance(label, list) else expected[label] for label in labels]
    assert data.train.y.tolist() == whole * 10


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, -1, 1], "row 1 has the label -1"),
        ([0, 2**40, 1], "row 1 has the label 1099511627776"),
        ([0.5, 1.0, 2.0], "integers from 0, not float64"),
        (["a", None, "b"], "row 1 has the label None"),
        ([0, None, 1], "labels are integers from 0"),
    ],
)
def test_labels_that_are_none(hub, tmp_path, access, labels, message):
    folder = tmp_path / "pics"
    folder.mkdir()
    pictures = [Image.fromarray(np.full((6, 8), i, np.uint8)) for i in range(30)]
    split = hub[0].Dataset.from_dict({"image": pictures, "label": labels * 10})
    split.cast_column("image", hub[0].Image()).to_parquet(str(folder / "train.parquet"))
    with pytest.raises(ZooError, match=message):
        HuggingFace("pics").load(access)


def test_hub_without_a_network(hub, access):
    with pytest.raises(ZooError, match="Hugging Face dataset 'nobody/nothing': ") as caught:
        HuggingFace(path="nobody/nothing").load(access)
    assert "\n" not in str(caught.value)


def test_columns_are_checked(hub, tmp_path, access):
    (tmp_path / "pics").mkdir()
    hub[1](9).to_parquet(str(tmp_path / "pics" / "train.parquet"))
    with pytest.raises(ZooError, match="unknown column 'imgae'; did you mean 'image'"):
        HuggingFace(path="pics", image="imgae").load(access)
    with pytest.raises(ZooError, match="'label' is not one of pictures"):
        HuggingFace(path="pics", image="label").load(access)


# TensorFlow Datasets.


@pytest.fixture
def catalogue(tmp_path):
    """A dataset prepared in ``tmp_path`` by TensorFlow Datasets: 30 and 6 pictures."""
    tfds = pytest.importorskip(
        "tensorflow_datasets", reason="TensorFlow Datasets are not installed"
    )

    with tfds.core.registered.skip_registration():  # found by its files alone

        class Greys(tfds.core.GeneratorBasedBuilder):
            """Pictures of one grey each."""

            VERSION = tfds.core.Version("1.0.0")

            def _info(self):
                features = tfds.features.FeaturesDict(
                    {
                        "image": tfds.features.Image(shape=(6, 8, 1)),
                        "label": tfds.features.ClassLabel(num_classes=3),
                        "id": np.int64,
                    }
                )
                return tfds.core.DatasetInfo(builder=self, features=features)

            def _split_generators(self, manager):
                return {"train": self._generate_examples(30), "test": self._generate_examples(6)}

            def _generate_examples(self, n):
                for i in range(n):
                    x = np.full((6, 8, 1), i, np.uint8)
                    yield i, {"image": x, "label": i % 3, "id": i}

    Greys(data_dir=str(tmp_path)).download_and_prepare()
    return tfds


def test_prepared_files(catalogue, access):
    data = TFDS(name="greys", validation=0.2).load(access)
    assert data.name == "greys"
    assert data.spec == DataSpec((6, 8, 1), classes=3)
    assert [len(s) for s in (data.train, data.validation, data.test)] == [24, 6, 6]
    assert sorted(data.test.x[:, 0, 0, 0]) == list(range(6))
    np.testing.assert_array_equal(data.test.y, data.test.x[:, 0, 0, 0] % 3)
    assert TFDS(name="greys", validation=0.2).load(access).fingerprint == data.fingerprint
    with pytest.raises(ZooError, match="unknown feature 'lable'; did you mean 'label'"):
        TFDS(name="greys", label="lable").load(access)
    with pytest.raises(ZooError, match="'id' is not one of pictures"):
        TFDS(name="greys", image="id").load(access)


def test_dataset_that_does_not_exist(catalogue, access):
    with pytest.raises(ZooError, match="TensorFlow dataset 'no_such_thing': ") as caught:
        TFDS(name="no_such_thing").load(access)
    assert "\n" not in str(caught.value)
