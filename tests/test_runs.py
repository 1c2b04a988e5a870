from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from tests.manifests import DATA, fields, manifest
from zoo.errors import ZooError
from zoo.runs import folders, locks
from zoo.runs.run import Run

pytestmark = pytest.mark.backend_free


def make(root: Path, name: str, **changes) -> Run:
    run = Run(root / name)
    run.path.mkdir(parents=True)
    run.write_manifest(manifest(recipe=run.path.parent.name, **changes))
    return run


def create(root: Path, name: str, **changes) -> Run:
    return folders.create(root, name, **fields(**changes))


def test_root_is_the_option_then_the_variable_then_runs(monkeypatch):
    monkeypatch.setenv("ZOO_RUNS", "/elsewhere")
    assert folders.root("mine") == Path("mine")
    assert folders.root() == Path("/elsewhere")
    monkeypatch.setenv("ZOO_RUNS", "")
    assert folders.root() == Path("runs")


def test_create_names_the_run_by_recipe_and_time(tmp_path):
    run = create(tmp_path / "deep" / "runs", "vae_mnist")
    recipe, _, identity = run.name.partition("/")
    time, _, code = identity.partition("-")
    assert recipe == "vae_mnist"
    assert len(time) == 16 and time[8] == "T" and time.endswith("Z")
    assert len(code) == 4 and int(code, 16) >= 0
    assert run.path == tmp_path / "deep" / "runs" / run.name
    assert run.status == "killed"  # no process trains it
    with locks.held(run.path):
        assert run.status == "running"
    assert run.manifest.format == 2
    assert run.manifest.recipe == "vae_mnist"


def test_create_never_takes_a_folder_that_exists(tmp_path, monkeypatch):
    codes = iter([b"aa", b"aa", b"bb"])
    monkeypatch.setattr(folders.os, "urandom", lambda n: next(codes) if n == 2 else bytes(n))
    first, second = create(tmp_path, "r"), create(tmp_path, "r")
    assert first.path != second.path


def test_create_says_what_is_in_the_way(tmp_path):
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(ZooError, match=r"cannot write .*runs.*--runs"):
        create(tmp_path / "runs", "r")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "r").write_text("a file")
    with pytest.raises(ZooError, match="cannot write"):
        create(tmp_path / "other", "r")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_create_in_a_read_only_folder(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ZooError, match="Permission denied"):
        create(tmp_path, "r")


def test_update_keeps_other_fields_and_leaves_no_temporary(tmp_path):
    run = create(tmp_path, "r")
    run.update(epoch=1, backend="torch")
    run.update(epoch=2, status="finished")
    assert run.manifest.epoch == 2
    assert run.manifest.backend == "torch"
    assert run.status == "finished"
    assert [path.name for path in run.path.iterdir()] == ["run.json"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    run = create(tmp_path, "r")
    run.write_json("results.json", {"elbo": -100.0})
    with pytest.raises(TypeError, match="object"):
        run.write_json("results.json", {"elbo": object()})
    assert run.read_json("results.json") == {"elbo": -100.0}


def test_numpy_numbers_and_paths_are_written_plainly(tmp_path):
    run = create(tmp_path, "r")
    run.write_json(
        "results.json",
        {"a": np.float32(0.5), "b": np.arange(2), "c": Path("x"), "é": (1, 2)},
    )
    expected = {"a": 0.5, "b": [0, 1], "c": "x", "é": [1, 2]}
    assert run.read_json("results.json") == expected


@pytest.mark.parametrize("text", ["{", "[]", "\x00"])
def test_reading_a_damaged_file_names_it(tmp_path, text):
    run = create(tmp_path, "r")
    (run.path / "results.json").write_text(text)
    with pytest.raises(ZooError, match=r"results\.json"):
        run.read_json("results.json")


def test_reading_a_missing_file_names_it(tmp_path):
    with pytest.raises(ZooError, match=r"it has no results\.json"):
        create(tmp_path, "r").read_json("results.json")


def test_all_runs_are_the_newest_first_over_all_recipes(tmp_path):
    old = make(tmp_path, "b/20250101T000000Z-ffff")
    new = make(tmp_path, "a/20260101T000000Z-0000")
    assert [run.path for run in folders.all_runs(tmp_path)] == [new.path, old.path]


def test_runs_of_one_second_are_told_apart(tmp_path):
    made = [create(tmp_path, "r") for _ in range(8)]
    assert [run.path for run in folders.all_runs(tmp_path)] == [run.path for run in made[::-1]]


def test_what_is_no_run_is_passed_over(tmp_path):
    good = make(tmp_path, "r/20260101T000000Z-0000")
    (tmp_path / "r" / "notes").mkdir()
    (tmp_path / "r" / "file").write_text("")
    damaged = make(tmp_path, "r/20260102T000000Z-0000")
    (damaged.path / "run.json").write_text("{")
    assert folders.all_runs(tmp_path) == [good]
    assert folders.all_runs(tmp_path / "none") == []


@pytest.fixture
def three(tmp_path):
    return (
        tmp_path,
        make(tmp_path, "vae/20260101T000000Z-aaaa"),
        make(tmp_path, "vae/20260102T000000Z-bbbb"),
        make(tmp_path, "gan/20260103T000000Z-cccc"),
    )


@pytest.mark.parametrize(
    ("text", "index", "why"),
    [
        ("latest", 3, "the newest run"),
        ("vae/20260101T000000Z-aaaa", 1, "the run that 'vae/20260101T000000Z-aaaa' names"),
        ("20260102T000000Z-bbbb", 2, "the run that '20260102T000000Z-bbbb' names"),
        ("20260102", 2, "the run that '20260102' names"),
        ("vae/20260101", 1, "the run that 'vae/20260101' names"),
        ("gan/", 3, "the run that 'gan/' names"),
        ("aaaa", 1, "the run that 'aaaa' names"),
        ("gan", 3, "the newest finished run of gan"),
        ("vae", 2, "the newest finished run of vae"),
        ("runs:vae", 2, "the newest finished run of vae"),
    ],
)
def test_find_says_which_run_it_takes_and_why(three, text, index, why):
    said = []
    assert folders.find(text, three[0], said.append).path == three[index].path
    assert said == [f"{three[index].name}: {why}"]


def test_a_recipe_that_is_resumed_is_its_newest_run_and_no_pack(three):
    root, *_ = three
    stopped = make(root, "vae_mnist/20260104T000000Z-dddd", status="interrupted")
    said = []
    assert folders.find("vae_mnist", root, said.append, to_resume=True).path == stopped.path
    assert said == [f"{stopped.name}: the newest run of vae_mnist"]
    assert folders.find("vae_mnist", root).manifest.pack
    with pytest.raises(ZooError, match="dcgan_mnist is a recipe: zoo run dcgan_mnist"):
        folders.find("dcgan_mnist", root, to_resume=True)
    with pytest.raises(ZooError, match=r"no run 'vae2d' .*bbbb, vae/20260101T000000Z-aaaa\.$"):
        folders.find("vae2d", root, to_resume=True)  # no pretrained model is named


def test_find_by_path(three, monkeypatch):
    root, first, *_ = three
    assert folders.find(str(first.path), root / "elsewhere").name == first.name
    monkeypatch.chdir(first.path)
    assert folders.find(".", root / "elsewhere").name == first.name


def test_find_names_the_runs_that_fit(three):
    with pytest.raises(ZooError, match=r"2 runs fit 'vae/'.*bbbb, vae/.*aaaa"):
        folders.find("vae/", three[0])


@pytest.mark.parametrize("text", ["vae/20260101T000000Z-aaab", "", "latests", "../x", "runs:va"])
def test_find_says_what_is_there(three, text):
    with pytest.raises(ZooError, match=r"There: latest, gan/20260103T000000Z-cccc"):
        folders.find(text, three[0])


@pytest.mark.parametrize("text", ["gan_mnist", "runs:vae_mnist", "published/dcgan_mnist"])
def test_find_of_a_recipe_without_a_run_says_how_to_train_it(tmp_path, text):
    recipe = text.removeprefix("runs:")
    with pytest.raises(ZooError, match=f"no run '{text}' in .*is a recipe: zoo run {recipe}$"):
        folders.find(text, tmp_path)


def test_find_without_any_run(tmp_path):
    with pytest.raises(ZooError, match="there are no runs"):
        folders.find("latest", tmp_path)


def test_the_manifest_is_json_that_others_read(tmp_path):
    run = create(tmp_path, "r")
    assert json.loads((run.path / "run.json").read_text()) == run.manifest.json()


def test_a_recipe_without_a_finished_run_is_not_found_by_its_name(tmp_path):
    make(tmp_path, "vae/20260101T000000Z-aaaa", status="failed")
    for text in ("vae", "runs:vae"):
        with pytest.raises(ZooError, match=f"no run '{text}'.* no finished run; .* vae/2026.*aaaa"):
            folders.find(text, tmp_path)


def test_a_run_whose_folder_is_gone_is_not_written_anew(tmp_path):
    run = create(tmp_path, "r")
    (run.path / "run.json").unlink()
    with pytest.raises(ZooError, match=r"it has no run\.json"):
        run.update(status="failed")
    assert list(run.path.iterdir()) == []


# --- manifests


def changed(path, value):
    whole = manifest()
    at = whole
    for key in path[:-1]:
        at[key] = dict(at[key])
        at = at[key]
    at[path[-1]] = value
    return whole


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["dataset"], "x", 'dataset is "x"; an object is accepted'),
        (["dataset"], [[]], "dataset is [[]]; an object is accepted"),
        (["dataset", "name"], 1e308, "dataset.name is 1e+308; a line of"),
        (["dataset", "name"], {}, "dataset.name is {}; a line of"),
        (["model"], {"class_name": "x"}, "model.name is missing"),
        (["metrics"], [3], "metrics.0 is 3; an object is accepted"),
        (["metrics"], "abc", 'metrics is "abc"; a list is accepted'),
        (["data", "name"], "a\ud800b", 'data.name is "a\\ud800b"; a line of'),
        (["status"], "a\ud800b", "running, finished, interrupted, failed is accepted"),
        (["backend"], "a\x1b[2Jb", 'backend is "a\\u001b[2Jb"; jax, tensorflow, torch is'),
        (["data", "shape"], [1] * 9, "a list of 1 to 4 positive integers is accepted"),
        (["data", "shape"], "x", 'data.shape is "x"; a list of 1 to 4 positive integers'),
        (["data", "shape"], [2**20, 2**20], "at most 4,194,304 numbers are accepted"),
        (["data", "examples"], {"train": 10**12}, "a whole number from 0 to 100,000,000"),
        (["data", "classes"], True, "data.classes is true"),
        (["sha256"], {"../../x": "0" * 64}, "the path of a file of the run that has a hash"),
        (["dataset", "settings"], {"n": 10**10}, "dataset.settings.n is 10000000000; a number of"),
        (
            ["metrics"],
            [{"name": "elbo", "class": "x:Y", "settings": {"samples": [10**12]}}],
            "metrics.0.settings.samples.0 is 1000000000000; a number of at most 100,000,000",
        ),
        (["ema"], 1.0, "ema is 1.0; a number in [0, 1), or null is accepted"),
        (["weights"], {"a": 3}, "an object, each value an object, is accepted"),
        (["format"], 3, "format is 3; a whole number from 2 to 2 is accepted"),
        (["format"], 1, "of format 1, and this zoo reads format 2: train the run again"),
    ],
)
def test_a_field_that_is_wrong_is_named(tmp_path, path, value, message):
    run = make(tmp_path, "r/20260101T000000Z-aaaa")
    (run.path / "run.json").write_text(json.dumps(changed(path, value)))
    with pytest.raises(ZooError) as raised:
        _ = run.manifest
    text = str(raised.value)
    assert text.startswith(f"run {run.name}: run.json") and message in text
    assert text.isprintable() and len(text) < 400


def test_what_would_not_be_read_is_not_written(tmp_path):
    with pytest.raises(ZooError, match=r"data\.shape is \[1, 1, 1, 1, 1\]"):
        create(tmp_path, "r", data={**DATA, "shape": [1] * 5})
    assert list(tmp_path.glob("*/*")) == []


def test_halves_of_characters_come_back(tmp_path):
    settings = {"path": "caf\udce9", "name": "\u00e9"}
    run = create(tmp_path, "r", dataset={"name": None, "class": "x:Y", "settings": settings})
    assert run.manifest.dataset.settings == settings
