"""Packs: made of runs, loaded as runs, shipped by packages."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from tests.commands import call, environment_kept
from tests.manifests import fields
from zoo import callbacks, datasets, metrics, nn
from zoo.datasets import Access
from zoo.errors import ZooError
from zoo.nn.distributions import StandardNormal
from zoo.runs import folders, pretrained, safetensors
from zoo.runs.pack import MOST_CODES, pack
from zoo.runs.run import Run

QUIET = Access(say=lambda line: None)


def recipe(name, **changes):
    """Small, and among them with averages, a sampler, labels, schedules, mixed precision."""
    models = {
        "vae": zoo.model("vae", latent_dim=2, units=(8,)),
        "labelled": zoo.model("vae", latent_dim=2, units=(8,), conditional=True),
        "ae": zoo.model("ae", latent_dim=2, units=(8,)),
        "dcgan": zoo.model("dcgan", filters=2, prior=StandardNormal(4)),
    }
    model = models[name]
    settings = {
        "model": model,
        "dataset": datasets.Digits(batch_size=512, size=16 if name == "dcgan" else 8),
        "optimizers": {player: keras.optimizers.Adam(1e-3) for player in model.players()},
        "epochs": 2,
    }
    if name == "vae":
        settings["ema"] = 0.5
        settings["weights"] = {"autoencoder": {"kl": nn.schedules.WarmUp(9)}}
        settings["metrics"] = [metrics.MSE()]
        settings["callbacks"] = [callbacks.Checkpoint(every=1, best="val_loss")]
    if name == "labelled":
        settings["precision"] = "mixed_bfloat16"
    if name == "ae":
        settings["sampler"] = nn.samplers.GaussianMixture(2)
    return zoo.Recipe(**(settings | changes))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """``runs(name)``: the finished run of a recipe."""
    root, made = tmp_path_factory.mktemp("runs"), {}

    def run(name):
        if name not in made:
            made[name] = zoo.train(recipe(name), name=name, runs_folder=str(root), access=QUIET)
        return made[name]

    run.root = root
    return run


def outputs(model, labelled):
    """Numbers of all that a model can do."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (5, *model.data.shape)).astype("uint8")
    labels = np.arange(5, dtype="int32") if labelled else None
    found = {"sample": model.sample(5, seed=3)}
    if model.can("encode"):
        found["encode"] = model.encode(x, labels=labels)
    if model.can("reconstruct"):
        found["reconstruct"] = model.reconstruct(x, labels=labels)
    return found


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("name", ["vae", "labelled", "ae", "dcgan"])
def test_a_pack_gives_the_numbers_of_its_run(runs, tmp_path, name, dtype):
    run = runs(name)
    made = pack(run, tmp_path / "pack", dtype=dtype)
    ours, theirs = (outputs(zoo.load(folder), name == "labelled") for folder in (run, made.path))
    assert set(ours) == set(theirs)
    for use, numbers in ours.items():
        if dtype == "float32":
            np.testing.assert_array_equal(theirs[use], numbers)
        else:
            # bfloat16, in which this one computes, has steps of 4e-3 at 1
            near = 1e-2 if name == "labelled" else 1e-3
            np.testing.assert_allclose(theirs[use], numbers, atol=near, rtol=near)


@pytest.mark.once_in_short
def test_what_is_in_a_pack(runs, tmp_path):
    run = runs("vae")
    made = pack(run, tmp_path / "pack", dtype="float16", license="CC0", access=QUIET)
    names = ["README.md", "codes", "history.csv", "results.json", "run.json", "weights"]
    files = [f"{n}.safetensors" if n in ("codes", "weights") else n for n in names]
    assert sorted(os.listdir(made.path)) == files
    weights, sha256 = safetensors.read(made.packed_weights)
    assert {a.dtype for a in weights.values()} == {np.dtype("float16")}
    assert all(name.startswith("networks/") for name in weights)
    described = made.manifest
    assert described.optimizers == {} and described.callbacks == []
    assert described.sha256 == {"weights.safetensors": sha256}
    codes, _ = safetensors.read(made.codes)
    assert codes["codes"].shape == (200, 2) and codes["labels"].shape == (200,)
    assert len(codes["codes"]) <= MOST_CODES
    text = (made.path / "README.md").read_text()
    mse = run.read_json("results.json")["metrics"]["mse"]
    for part in (sha256, "CC0", described.data.fingerprint, mse["protocol"], f"{mse['value']:.5g}"):
        assert part in text
    assert "zoo run vae" in text and "`vae(latent_dim=2, units=[8]" in text


@pytest.mark.once_in_short
def test_weights_that_training_alone_needs_can_be_left_out(runs, tmp_path):
    whole = zoo.load(runs("dcgan"))
    made = pack(runs("dcgan"), tmp_path / "pack", without=["discriminator"])
    weights, _ = safetensors.read(made.packed_weights)
    assert {name.split("/")[1] for name in weights} == {"generator"}
    assert "| without the weights of | discriminator |" in (made.path / "README.md").read_text()
    model = zoo.load(made)
    assert "without the weights of: discriminator" in repr(model)
    np.testing.assert_array_equal(model.sample(3), whole.sample(3))
    with pytest.raises(ZooError, match="unknown network 'critic'"):
        pack(runs("dcgan"), tmp_path / "none", without=["critic"])
    with pytest.raises(ZooError, match="leave out fewer"):
        pack(runs("dcgan"), tmp_path / "none", without=["generator", "discriminator"])
    made.update(pack={**made.read_json("run.json")["pack"], "without": []})
    with pytest.raises(ZooError, match=r"discriminator.* is missing"):
        zoo.load(made)


@pytest.mark.once_in_short
def test_a_pack_that_is_refused_leaves_no_folder(runs, tmp_path):
    copy = Run(shutil.copytree(runs("vae").path, tmp_path / "copy"))
    copy.update(data={**copy.read_json("run.json")["data"], "fingerprint": "0" * 64})
    with pytest.raises(ZooError, match="another fingerprint"):
        pack(copy, tmp_path / "pack", access=QUIET)
    assert not (tmp_path / "pack").exists()


@pytest.mark.once_in_short
def test_the_bytes_of_the_weights_depend_on_the_weights_alone(runs, tmp_path):
    first = pack(runs("vae"), tmp_path / "first")
    copy = shutil.copytree(runs("vae").path, tmp_path / "elsewhere" / "copy")
    Run(copy).update(created="2030-01-01T00:00:00", changes=["x=1"])
    second = pack(Run(copy), tmp_path / "second", license="another")
    again = pack(runs("vae"), first.path)  # in the place of the first
    digests = {
        hashlib.sha256(made.packed_weights.read_bytes()).hexdigest()
        for made in (first, second, again)
    }
    assert len(digests) == 1


@pytest.mark.once_in_short
def test_the_best_weights(runs, tmp_path):
    run = runs("vae")
    made = pack(run, tmp_path / "pack", which="best")
    best = zoo.load(run, which="best")
    np.testing.assert_array_equal(zoo.load(made).sample(3), best.sample(3))
    np.testing.assert_array_equal(zoo.load(made, which="best").sample(3), best.sample(3))
    assert made.manifest.pack.which == "best"
    last = pack(run, tmp_path / "last")
    with pytest.raises(ZooError, match="a pack of the last weights"):
        zoo.load(last, which="best")
    with pytest.raises(ZooError, match="keeps no best checkpoint"):
        pack(runs("ae"), tmp_path / "none", which="best")


@pytest.mark.once_in_short
def test_long_codes_are_fewer_and_factors_of_a_sampler_are_halved(runs, tmp_path, monkeypatch):
    monkeypatch.setattr("zoo.runs.pack._NUMBERS", 100)
    made = pack(runs("ae"), tmp_path / "pack", dtype="float16", access=QUIET)
    codes, _ = safetensors.read(made.codes)
    size = codes["codes"].shape[1]
    assert len(codes["codes"]) == len(codes["labels"]) == 100 // size
    sampler, _ = safetensors.read(made.sampler)
    assert {name: array.dtype.name for name, array in sampler.items()} == {
        "weights": "float32",
        "means": "float32",
        "factors": "float16",
    }


@pytest.mark.once_in_short
def test_a_number_that_half_precision_cannot_hold(runs, tmp_path):
    from zoo.runs.pack import _as

    large = np.array([1e6], "float32")
    assert _as(large, "float16").dtype == np.float32
    assert _as(large / 1e6, "float16").dtype == np.float16
    assert _as(np.arange(3), "float16").dtype == np.arange(3).dtype


@pytest.mark.once_in_short
def test_what_cannot_be_packed(runs, tmp_path):
    layers = [keras.Input((2,)), keras.layers.Dense(64), keras.layers.Reshape((8, 8, 1))]
    layers += [keras.layers.Lambda(lambda x: x)]
    own = recipe("vae", networks={"decoder": lambda data, model: keras.Sequential(layers)})
    run = zoo.train(own, runs_folder=str(tmp_path / "runs"), access=QUIET)
    with pytest.raises(ZooError, match="decoder is its recipe's own, which is code"):
        pack(run, tmp_path / "pack")
    made = pack(runs("vae"), tmp_path / "pack")
    with pytest.raises(ZooError, match="is a pack already"):
        pack(made, tmp_path / "again")
    with pytest.raises(ZooError, match="is a run: choose another folder"):
        pack(runs("vae"), run.path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("mine")
    with pytest.raises(ZooError, match="not empty and no pack"):
        pack(runs("vae"), tmp_path / "full")
    unfinished = folders.create(tmp_path, "r", **fields())
    with pytest.raises(ZooError, match=r"has no weights \(status: killed\)"):
        pack(unfinished, tmp_path / "none")


@pytest.mark.parametrize("damage", ["weights", "sampler", "missing", "manifest", "format"])
@pytest.mark.once_in_short
def test_a_damaged_pack_is_one_message(runs, tmp_path, damage):
    made = pack(runs("ae"), tmp_path / "pack")
    if damage in ("weights", "sampler"):
        path = made.path / f"{damage}.safetensors"
        path.write_bytes(path.read_bytes() + b" ")
        message = "holds no"
    elif damage == "missing":
        made.packed_weights.unlink()
        message = "has no weights.safetensors"
    elif damage == "format":
        value = made.read_json("run.json")
        value["pack"]["format"] = 2
        made.write_json("run.json", value)
        message = "pack.format is 2"
    else:
        made.update(sha256={})
        message = "not what training ended with"
    with pytest.raises(ZooError, match=message):
        zoo.load(made)


# --- on the command line, and from packages


@pytest.fixture
def shipped(runs, tmp_path, install, monkeypatch):
    """A package's pack ``tiny``, which nobody may write to; its folder."""
    monkeypatch.chdir(tmp_path)
    site = install(
        "somebodys-models",
        {"zoo.pretrained": {"tiny": "their_package.packs:tiny", "gone": "their_package:none"}},
    )
    package = site / "their_package"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('packs are found without this')")
    made = pack(runs("vae"), package / "packs" / "tiny", dtype="float16", access=QUIET)
    with environment_kept():
        yield made


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.once_in_short
def test_commands_take_a_pretrained_name_and_do_not_write_there(shipped, tmp_path, capfd):
    before, relative = content(shipped.path), shipped.path.relative_to(tmp_path)
    for words in (["sample", "tiny", "-n", 4], ["reconstruct", "tiny"], ["embed", "tiny"]):
        status, _, err = call(capfd, *words)
        assert status == 0, err
        assert err.startswith(f"tiny: pretrained, somebodys-models 1.0, {relative}\n")
    status, out, err = call(capfd, "evaluate", "tiny", "--metric", "mse")
    assert status == 0 and "kept in tiny-evaluation.json" in out, err
    assert {
        "tiny-samples-seed-0.png",
        "tiny-reconstructions-test.png",
        "tiny-codes-test.npz",
        "tiny-evaluation.json",
    } <= set(os.listdir(tmp_path))
    status, out, err = call(capfd, "compare", "tiny", "--metric", "psnr", "--json")
    assert status == 0, err
    status, out, _ = call(capfd, "show", "tiny")
    assert status == 0 and out.startswith("tiny  pack")
    assert content(shipped.path) == before


@pytest.mark.once_in_short
def test_pretrained_models_are_listed_with_size_data_and_figure(shipped, capfd):
    status, out, _ = call(capfd, "list", "pretrained")
    [line] = [line for line in out.splitlines() if "tiny" in line]
    assert status == 0 and " kB" in line and "digits" in line and "mse 0." in line
    assert "gone" not in out
    [row] = [
        row
        for row in json.loads(call(capfd, "list", "pretrained", "--json")[1])["pretrained"]
        if row["type"] == "tiny"
    ]
    assert row["bytes"] == sum(map(len, content(shipped.path).values()))


@pytest.mark.once_in_short
def test_a_pretrained_name_in_python(shipped, runs):
    np.testing.assert_array_equal(zoo.load("tiny").sample(3), zoo.load(shipped.path).sample(3))
    np.testing.assert_array_equal(
        zoo.load("pretrained:tiny").sample(3), zoo.load("somebodys-models/tiny").sample(3)
    )
    said = []
    run = zoo.train(
        recipe("vae", metrics=[], callbacks=[]),
        weights_from="tiny",
        runs_folder="runs",
        access=QUIET,
        say=said.append,
    )
    assert said[0] == "weights of encoder, decoder from tiny"
    assert run.manifest.weights_from == "tiny"
    with pytest.raises(ZooError, match="is a pack, which holds no state of a training"):
        zoo.resume(shipped)


@pytest.mark.once_in_short
def test_a_name_means_a_pretrained_model_before_a_recipe(shipped, runs, tmp_path):
    from tests.manifests import manifest

    run = Run(tmp_path / "runs" / "tiny" / "20260101T000000Z-aaaa")
    run.path.mkdir(parents=True)
    run.write_manifest(manifest(recipe="tiny"))
    root = tmp_path / "runs"
    said = []
    assert folders.find("tiny", root, said.append).path == shipped.path
    assert said[0].endswith("; runs:tiny is yours")
    assert folders.find("runs:tiny", root).path == run.path
    assert folders.find("aaaa", root).path == run.path
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "run.json").write_text("{}")
    assert folders.find("tiny", root).path == tmp_path / "tiny"


@pytest.mark.once_in_short
def test_two_packages_that_claim_a_name(shipped, install, tmp_path):
    site = install("others", {"zoo.pretrained": {"tiny": "other_package:tiny"}})
    shutil.copytree(shipped.path, site / "other_package" / "tiny")
    with pytest.raises(ZooError, match="type others/tiny or somebodys-models/tiny"):
        folders.find("tiny", tmp_path)
    assert pretrained.find("others/tiny").distribution == "others"


@pytest.mark.parametrize("target", ["their_package:../../outside", "their_package:/", "none:x", ""])
@pytest.mark.once_in_short
def test_entry_points_that_lead_nowhere_are_left_out(install, tmp_path, target):
    site = install("odd", {"zoo.pretrained": {"odd": target}})
    (site / "their_package").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "run.json").write_text("{}")
    assert pretrained.get("odd") is None


@pytest.mark.once_in_short
def test_the_command_makes_a_pack(runs, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    with environment_kept():
        status, out, err = call(capfd, "pack", runs("ae").path, "--dtype", "float16", "--no-codes")
        assert status == 0, err
        assert re.match(r"packs/ae  \d+ kB, float16\n", out)
        assert Run(tmp_path / "packs" / "ae").manifest.sha256["weights.safetensors"] in out
        assert call(capfd, "sample", "packs/ae", "-n", 4)[0] == 0


@pytest.mark.once_in_short
def test_the_judge_is_the_pretrained_one_but_for_data_that_stand_in_for_others(
    tmp_path, install, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "judge.py"
    source.write_text(
        "import keras, zoo\n"
        "recipe = zoo.Recipe(\n"
        "    model=zoo.model('classifier', filters=(2,)),\n"
        "    dataset=zoo.datasets.Digits(batch_size=512),\n"
        "    optimizers={'classifier': keras.optimizers.Adam(1e-2)},\n"
        "    epochs=1,\n"
        ")\n"
    )
    from zoo.config import recipe as recipes
    from zoo.config import recipe_files

    run = zoo.train(recipes.load(source), name="judge", runs_folder="runs", access=QUIET)
    site = install("judges", {"zoo.pretrained": {"judge": "judges:judge"}})
    made = pack(run, site / "judges" / "judge")
    monkeypatch.setattr(recipe_files, "find", lambda name: source)
    data = datasets.Digits().load(QUIET)
    metric = metrics.Recognition(classifier="judge", samples=4)
    said = []
    ready = metric.prepare(data, Access(say=said.append), "none")
    assert ready.classifier == str(made.path) and said == []
    weights = made.manifest.sha256["weights.safetensors"][:8]
    told = f"judge (weights {weights}, test accuracy not measured)"
    assert ready.judge(data).name == told
    forced = metrics.Recognition(classifier="runs:judge").prepare(data, QUIET, "runs")
    assert forced.classifier == str(run.path.resolve())
    described = made.manifest.json()
    made.update(data={**described["data"], "fingerprint": "0"})  # trained on another copy
    assert metric.prepare(data, QUIET, "runs").classifier == str(made.path)
    instead = dataclasses.replace(data, name="digits (stand-in for others)")
    monkeypatch.setattr("zoo.features.classifiers.loading.load", lambda *given: instead)
    assert metric.prepare(instead, QUIET, "runs").classifier == str(run.path.resolve())


# --- a third party's wheel, as somebody would build and install it


def wheel(project, to):
    """The wheel of a project that ``zoo new plugin`` made, packs and all, without a build tool."""
    described = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    name, version = described["name"].replace("-", "_"), described["version"]
    info = f"{name}-{version}.dist-info"
    groups = [
        "\n".join([f"[{group}]", *(f"{key} = {value}" for key, value in points.items())])
        for group, points in described["entry-points"].items()
    ]
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "\n\n".join(groups) + "\n",
    }
    package = project / name
    files |= {
        path.relative_to(project).as_posix(): path.read_bytes()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    made = to / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return made


@pytest.mark.slow
@pytest.mark.backend_free
def test_a_third_partys_wheel_ships_a_trained_model_of_its_own(tmp_path):
    def run(*words, site=None):
        paths = [str(site)] if site else []
        done = subprocess.run(
            [sys.executable, "-m", *map(str, words)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def installed(name):
        built = wheel(tmp_path / "cubist", tmp_path)
        options = ["--quiet", "--no-deps", "--no-index", "--target", tmp_path / name]
        run("pip", "install", *options, built)
        return tmp_path / name

    run("zoo", "new", "plugin", "cubist")
    site = installed("theirs")
    run("zoo", "run", "cubist/recipes/cubist.py", "epochs=1", site=site)
    folder = "cubist/zoo_cubist/pretrained/cubist_digits"
    options = ["--dtype", "float16", "--license", "CC0-1.0", "--to", folder]
    run("zoo", "pack", "latest", *options, site=site)
    shutil.rmtree(tmp_path / "runs")
    with open(tmp_path / "cubist/pyproject.toml", "a", encoding="utf-8") as file:
        file.write('\n[project.entry-points."zoo.pretrained"]\n')
        file.write('cubist_digits = "zoo_cubist.pretrained:cubist_digits"\n')

    site = installed("ours")
    shutil.rmtree(tmp_path / "cubist")
    listed = run("zoo", "list", "pretrained", site=site)
    assert re.search(r"cubist_digits +\d+ kB +digits", listed), listed
    run("zoo", "sample", "cubist_digits", "-n", 9, site=site)
    with Image.open(tmp_path / "cubist_digits-samples-seed-0.png") as picture:
        assert picture.size == (3 * 8 * 9 + 8, 3 * 8 * 9 + 8)  # 3 x 3, enlarged eight times
    assert "cubist_digits  pack" in run("zoo", "show", "cubist_digits", site=site)
