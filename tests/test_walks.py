"""A walk over what a file says ends: it has a budget, and messages in place of RecursionError."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from tests.manifests import manifest
from zoo import datasets
from zoo.datasets import files
from zoo.datasets.folder import Folder
from zoo.errors import ZooError
from zoo.plugin import network_configs
from zoo.plugin.dataset import Access
from zoo.runs import safetensors
from zoo.runs.checkpoints import Snapshot, Store
from zoo.runs.run import Run
from zoo.runtime import jsons, memory

pytestmark = pytest.mark.backend_free

DEEP = '{"a": ' * 400 + "1" + "}" * 400
DEEPER = "[" * 100_000
WIDE = "[" + "[]," * jsons.MOST_VALUES + "[]]"


def header(text):
    raw = text.encode()
    return len(raw).to_bytes(8, "little") + raw


@pytest.mark.parametrize("text", [DEEP, DEEPER, WIDE], ids=["deep", "deeper", "wide"])
@pytest.mark.parametrize("of", ["manifest", "results", "safetensors"])
def test_what_is_too_deep_or_wide_is_told(tmp_path, text, of):
    if of == "safetensors":
        with pytest.raises(ValueError, match=r"levels deep|values"):
            safetensors.decoded(header(text))
        return
    run, name = Run(tmp_path), {"manifest": "run.json", "results": "results.json"}.get(of, "x.json")
    (tmp_path / name).write_text(text)
    with pytest.raises(ZooError, match=r"levels deep|values"):
        run.manifest if of == "manifest" else run.read_json(name)  # a property


def test_what_is_as_deep_as_a_file_may_be_is_read():
    allowed = "[" * jsons.MOST_DEPTH + "]" * jsons.MOST_DEPTH
    assert jsons.parsed(allowed) == json.loads(allowed)
    with pytest.raises(ValueError, match="levels deep"):
        jsons.parsed(f"[{allowed}]")


def test_no_manifest_is_written_that_cannot_be_read(tmp_path):
    nested: dict = {}
    for _ in range(200):
        nested = {"config": nested}
    with pytest.raises(ZooError, match="levels deep"):
        Run(tmp_path).write_manifest(manifest(optimizers={"a": nested}))
    assert not list(tmp_path.iterdir())


def test_no_checkpoint_is_written_that_cannot_be_read(tmp_path):
    nested: list = []
    for _ in range(200):
        nested = [nested]
    store = Store(tmp_path / "checkpoints")
    with pytest.raises(ZooError, match="callbacks remember"):
        store.write(Snapshot({}, {"epoch": 1, "step": 0, "callbacks": nested}), keep=1)
    assert store.names() == []


def test_a_config_that_contains_itself_is_told():
    config: dict = {"class_name": "Dense", "module": "keras.layers", "registered_name": None}
    config["config"] = {"inner": config}
    with pytest.raises(ZooError, match="levels deep"):
        network_configs.check({"decoder": config})


@pytest.mark.parametrize("shape", [[1] * 5000, [10**4000] * 2000, [1 << 63]])
def test_a_shape_that_no_array_has_is_refused_at_once(shape):
    entry = {"dtype": "U8", "shape": shape, "data_offsets": [0, 1]}
    with pytest.raises(ValueError, match="shape"):
        safetensors.decoded(header(json.dumps({"a": entry})) + b"\0")


def picture(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"P5 1 1 255\n\0")


@pytest.mark.parametrize("target", [".", "..", "../.."])
def test_a_link_to_a_folder_around_it_is_told(tmp_path, target):
    picture(tmp_path / "data" / "cats" / "a.pgm")
    (tmp_path / "data" / "loop").symlink_to(target)
    with pytest.raises(ZooError, match=r"data/loop is a link to a folder that it lies in"):
        Folder(str(tmp_path / "data")).load()


def test_links_to_other_folders_are_classes(tmp_path):
    for name in ("cats", "dogs"):
        picture(tmp_path / "elsewhere" / name / "a.pgm")
        (tmp_path / "elsewhere" / name / "back").symlink_to("..")  # below a class: not followed
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / name).symlink_to(tmp_path / "elsewhere" / name)
    quiet = Access(say=lambda line: None)
    data = Folder(str(tmp_path / "data"), validation=0, test=0).load(quiet)
    assert data.class_names == ("cats", "dogs") and len(data.train) == 2


def test_a_folder_of_too_many_files_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("zoo.datasets.folder.MOST_ENTRIES", 2)
    for name in "abc":
        picture(tmp_path / f"{name}.pgm")
    with pytest.raises(ZooError, match="more than 2 files"):
        Folder(str(tmp_path)).load()


def test_an_archive_of_too_many_arrays_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MOST_ENTRIES", 2)
    np.savez(tmp_path / "a.npz", **{name: np.zeros(1) for name in "abc"})
    with pytest.raises(ZooError, match=r"a\.npz is not used: it has 3 arrays; up to 2"):
        datasets.Arrays(str(tmp_path / "a.npz")).load()


def test_what_unpacks_beyond_the_memory_is_told_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "most", lambda: 1000)
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((10, 10, 10), np.uint8))
    with pytest.raises(ZooError, match="1 kB"):
        datasets.Arrays(str(tmp_path / "a.npz")).load()
    claims = b"\0\0\x08\x03" + b"\xff\xff\xff\xff" * 3
    (tmp_path / "a.gz").write_bytes(gzip.compress(claims))
    with pytest.raises(files.Damaged, match="GB of memory"):
        files.attempt(files.read_idx, tmp_path / "a.gz")


def test_no_more_is_unpacked_than_an_idx_file_says(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"\0\0\x08\x01\0\0\0\x02ab" + bytes(1 << 24)))
    with pytest.raises(files.Damaged, match="no complete idx file"):
        files.attempt(files.read_idx, path)
    path.write_bytes(gzip.compress(b"\0\0\x08\x01\0\0\0\x02ab"))
    assert files.attempt(files.read_idx, path).tolist() == [97, 98]
