"""Runs of one's own: what they name is opened again without a question, and no other run's."""

from __future__ import annotations

import dataclasses
import json
import stat

import keras
import numpy as np
import pytest

import zoo
from zoo import cli, datasets
from zoo.datasets import Access
from zoo.errors import ZooError
from zoo.metrics import Recognition
from zoo.runs import results
from zoo.runs.pack import pack

pytestmark = pytest.mark.once_in_short

QUIET = Access(say=lambda line: None)


def recipe(folder, epochs):
    return zoo.Recipe(
        model=zoo.model("vae", latent_dim=2, units=(4,)),
        dataset=datasets.Arrays(str(folder / "mine.npz"), binarize="dynamic", batch_size=20),
        optimizers={"autoencoder": keras.optimizers.SGD(0.01)},
        metrics=[zoo.metrics.ELBO()],
        epochs=epochs,
    )


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run on a file of one's own, that lies in no chosen folder."""
    monkeypatch.delenv("ZOO_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    pictures = np.random.default_rng(0).integers(0, 256, (60, 8, 8), "uint8")
    np.savez(tmp_path / "mine.npz", x_train=pictures[:40], x_test=pictures[40:])
    return zoo.train(recipe(tmp_path, epochs=1), runs_folder=str(tmp_path / "runs"), access=QUIET)


def evaluated(run) -> int:
    return cli.main(["evaluate", str(run.path), "--metric", "elbo"])


def test_an_own_run_opens_what_it_names_again(run, capfd):
    assert evaluated(run) == 0
    assert len(results.data_of(run, QUIET).test) == 20


def test_nobody_else_can_read_the_key(run, tmp_path):
    key = tmp_path / "keras" / "zoo" / "key"
    assert key.stat().st_size == 32 and stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_bytes().hex() not in (run.path / "run.json").read_text()


def test_a_run_that_was_changed_is_asked_about(run, tmp_path, capfd):
    described = run.manifest.json()
    described["dataset"]["settings"]["path"] = str(tmp_path / "other.npz")
    run.write_json("run.json", described)
    assert evaluated(run) == 2
    assert "a run that you did not make names is opened only below" in capfd.readouterr().err


@pytest.mark.parametrize("key", [b"x" * 32, b"short", None])
def test_a_run_with_another_key_is_asked_about(run, tmp_path, key):
    place = tmp_path / "keras" / "zoo" / "key"
    place.unlink()
    if key is not None:
        place.write_bytes(key)
    with pytest.raises(ZooError, match="--data-dir"):
        results.data_of(run, QUIET)


def test_metrics_of_an_own_run_may_name_files(run):
    described = run.manifest.json()
    described["metrics"] = [
        {"name": "recognition", "class": "x:Y", "settings": {"classifier": "/my/judge"}}
    ]
    described["seal"] = zoo.runs.seal.made(described)
    run.write_json("run.json", described)
    [metric] = results.metrics_of(run)
    assert metric == Recognition(classifier="/my/judge")
    run.write_json("run.json", described | {"seal": "0" * 64})
    with pytest.raises(ZooError, match="may only name a recipe that comes with the zoo"):
        results.metrics_of(run)


def test_a_pack_has_no_seal(run, tmp_path):
    assert run.manifest.seal
    assert not pack(run, tmp_path / "pack").manifest.seal


def test_where_no_key_can_be_kept_runs_are_made_without_a_seal(run, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "file"))
    described = dataclasses.replace(run.manifest, seal="").json()
    assert zoo.runs.seal.made(described) == ""
    run.write_json("run.json", described)
    with pytest.raises(ZooError, match="--data-dir"):
        results.data_of(run, QUIET)


def test_a_resumed_run_stays_ones_own(run, tmp_path):
    run = zoo.resume(run, recipe=recipe(tmp_path, epochs=2), access=QUIET)
    assert json.loads((run.path / "run.json").read_text())["epoch"] == 2
    assert len(results.data_of(run, QUIET).test) == 20
