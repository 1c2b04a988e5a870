"""``zoo.load``: what a run trained comes back, here and under another backend."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest

import zoo
from zoo import datasets
from zoo.config import recipe as recipes
from zoo.datasets import Access
from zoo.errors import ZooError
from zoo.plugin import serialization
from zoo.runs.checkpoints import Store
from zoo.runs.pack import pack
from zoo.runs.run import Run
from zoo.runtime import backends

QUIET = Access(say=lambda line: None)

PLAIN = """
import keras
import zoo
from zoo import datasets

recipe = zoo.Recipe(
    model=zoo.model("vae", latent_dim=2, units=(8,)),
    dataset=datasets.Digits(batch_size=512),
    optimizers={"autoencoder": keras.optimizers.Adam(1e-2)},
    epochs=1,
)
"""

OWN_NETWORK = PLAIN.replace(
    "epochs=1",
    """epochs=1,
    networks={
        "decoder": lambda data, model: keras.Sequential(
            [
                keras.Input((model.latent_dim,)),
                keras.layers.Dense(64, name="mine"),
                keras.layers.Reshape(data.shape),
            ]
        )
    }""",
)

OWN_CODE = OWN_NETWORK.replace(
    "keras.layers.Reshape(data.shape),",
    "keras.layers.Reshape(data.shape), keras.layers.Lambda(lambda x: 2 * x),",
)

OWN_MODEL = PLAIN.replace(
    "recipe =",
    """
import dataclasses
from zoo_vae import VAE

@dataclasses.dataclass(frozen=True)
class Mine(VAE):
    scale: float = 2.0

recipe =""",
).replace('zoo.model("vae", ', "Mine(")


def train(folder, source=PLAIN, **changes):
    """The run, and the model as it was at the end of training."""
    path = folder / "source.py"
    path.write_text(source)
    recipe = dataclasses.replace(recipes.load(path), **changes)
    kept = []
    run = zoo.train(
        recipe,
        source=path,
        runs_folder=str(folder / "runs"),
        access=QUIET,
        prepared=lambda experiment: kept.append(experiment.model),
    )
    return run, kept[0]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train(tmp_path_factory.mktemp("loading"))


@pytest.fixture
def run(trained, tmp_path):
    """A copy of the run, to be damaged."""
    path = tmp_path / "runs" / "source" / "copy"
    shutil.copytree(trained[0].path, path)
    return Run(path)


def same(loaded, model, atol=1e-6):
    x = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1)).astype("uint8")
    np.testing.assert_allclose(loaded.sample(5, seed=3), model.sample(5, seed=3), atol=atol)
    np.testing.assert_allclose(loaded.reconstruct(x), model.reconstruct(x), atol=atol)
    np.testing.assert_allclose(loaded.encode(x), model.encode(x), atol=atol, rtol=1e-5)


def test_the_model_is_as_it_was_at_the_end_of_training(trained):
    run, model = trained
    loaded = zoo.load(run)
    same(loaded, model, atol=0)
    assert loaded.plugin == model.plugin and loaded.data == model.data
    x = datasets.Digits().load().test.x[:50]
    ours, theirs = (m.evaluate(x, verbose=0, return_dict=True) for m in (loaded, model))
    assert ours == pytest.approx(theirs, rel=1e-6)


def test_optimizers_come_back_with_their_state(trained):
    run, model = trained
    for ours, theirs in zip(
        zoo.load(run).optimizer.variables, model.optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(ours), keras.ops.convert_to_numpy(theirs)
        )


def test_a_schedule_of_the_learning_rate_comes_back(tmp_path):
    rate = keras.optimizers.schedules.CosineDecay(1e-2, 9)
    run, model = train(tmp_path, optimizers={"autoencoder": keras.optimizers.Adam(rate)})
    loaded = zoo.load(run)
    same(loaded, model)
    kept = loaded.optimizer.by_player["autoencoder"]
    assert float(kept.learning_rate) == pytest.approx(float(rate(kept.iterations)))


@pytest.mark.parametrize("changes", [{"ema": 0.5}, {"precision": "mixed_bfloat16"}])
def test_averages_and_precision_come_back(tmp_path, changes):
    run, model = train(tmp_path, **changes)
    same(zoo.load(run), model, atol=1e-6)


@pytest.mark.once_in_short
def test_a_run_is_found_by_name_path_and_latest(trained, monkeypatch):
    run, model = trained
    folder = run.path.parents[1]
    loaded = [zoo.load(name, runs_folder=str(folder)) for name in (run.path, run.id)]
    monkeypatch.setenv("ZOO_RUNS", str(folder))
    loaded.append(zoo.load("latest"))
    z = np.ones((1, 2), "float32")
    for found in loaded:
        np.testing.assert_allclose(found.decode(z), model.decode(z), atol=1e-6)
    with pytest.raises(ZooError, match="no run 'none'"):
        zoo.load("none")


@pytest.mark.once_in_short
def test_under_another_backend(trained, tmp_path):
    others = [name for name in backends.installed() if name != keras.backend.backend()]
    if not others:
        pytest.skip("only one backend is installed")
    run, model = trained
    code = (
        "import sys, numpy, zoo\n"
        "model = zoo.load(sys.argv[1])\n"
        "x = numpy.arange(128, dtype='uint8').reshape(2, 8, 8, 1)\n"
        "numpy.savez(sys.argv[2], sample=model.sample(5, seed=3), again=model.reconstruct(x))"
    )
    environment = os.environ | {"KERAS_BACKEND": others[0]}
    arguments = [sys.executable, "-c", code, str(run.path), str(tmp_path / "out.npz")]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    there = np.load(tmp_path / "out.npz")
    x = np.arange(128, dtype="uint8").reshape(2, 8, 8, 1)
    np.testing.assert_allclose(there["sample"], model.sample(5, seed=3), atol=1e-5)
    np.testing.assert_allclose(there["again"], model.reconstruct(x), atol=1e-5)


@pytest.mark.once_in_short
@pytest.mark.parametrize(
    ("source", "own"), [(OWN_CODE, "decoder"), (OWN_MODEL, "Mine")], ids=["network", "model"]
)
def test_a_recipes_own_code_needs_the_recipe(tmp_path, source, own):
    """The run's settings are kept, also where they are not the recipe's."""
    (tmp_path / "source.py").write_text(source)
    changed = recipes.load(tmp_path / "source.py").model.replace(latent_dim=3)
    run, model = train(tmp_path, source, model=changed)
    with pytest.raises(ZooError, match=rf"{own} was given by its recipe.*recipe=FILE") as raised:
        zoo.load(run)
    assert str(run.recipe) in str(raised.value)
    loaded = zoo.load(run, recipe=run.recipe)
    assert loaded.plugin.latent_dim == 3
    same(loaded, model)


@pytest.mark.once_in_short
def test_a_recipes_own_network_is_kept(tmp_path):
    """As Keras's config: the run, and a pack of it, load without the recipe."""
    run, model = train(tmp_path, OWN_NETWORK)
    assert run.manifest.networks == ["decoder"]
    loaded = zoo.load(run)
    same(loaded, model)
    names = [layer.name for layer in loaded.networks["decoder"].layers]
    assert "mine" in names and names == [x.name for x in model.networks["decoder"].layers]
    run.recipe.write_text("raise SystemExit")
    same(zoo.load(pack(run, tmp_path / "pack")), model)


@pytest.mark.once_in_short
def test_another_recipe_is_refused(tmp_path, run):
    (tmp_path / "other.py").write_text(OWN_MODEL)
    with pytest.raises(ZooError, match="the recipe's model is a Mine, and the run's a zoo_vae:VAE"):
        zoo.load(run, recipe=tmp_path / "other.py")
    with pytest.raises(ZooError, match="cannot read the recipe"):
        zoo.load(run, recipe=tmp_path / "none.py")


@pytest.mark.once_in_short
def test_a_class_without_settings_needs_no_dataclass():
    class Bare(zoo.Model):
        pass

    described = serialization.settings_of(Bare(), "models")
    assert described["name"] is None and described["settings"] == {}
    given = Bare()
    saved = {"model": described, "data": {"shape": [2], "classes": 0}}
    assert serialization.rebuild(saved, given) == (given, zoo.DataSpec((2,)))


# --- damage


def last_arrays(run):
    [name] = run.manifest.sha256
    return run.path / name


@pytest.mark.once_in_short
def test_missing_weights(run):
    shutil.rmtree(run.checkpoints)
    with pytest.raises(ZooError, match="its last checkpoint is not what training ended with"):
        zoo.load(run)
    run.update(sha256={}, status="interrupted")
    with pytest.raises(ZooError, match=r"has no weights \(status: interrupted\)"):
        zoo.load(run)


@pytest.mark.once_in_short
@pytest.mark.parametrize("change", [lambda content: content[:1000], lambda content: content + b" "])
def test_weights_that_training_did_not_end_with(run, change):
    path = last_arrays(run)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ZooError, match=r"checkpoint-000001 .* is not what training ended with"):
        zoo.load(run)


@pytest.mark.once_in_short
def test_another_checkpoint_that_is_whole(run, tmp_path):
    """One whose own hashes fit, but not those of the manifest."""
    other = Store(tmp_path / "other")
    name = other.write(Store(run.checkpoints).newest(), keep=1)
    snapshot = other.read(name)
    arrays = {key: np.array(array) for key, array in snapshot.arrays.items()}
    arrays["networks/decoder/000.kernel"] += 1
    other.write(dataclasses.replace(snapshot, arrays=arrays), keep=1)
    shutil.rmtree(run.checkpoints / "checkpoint-000001")
    shutil.copytree(other.folder / "checkpoint-000002", run.checkpoints / "checkpoint-000001")
    with pytest.raises(ZooError, match=r"its SHA-256 is not that of run\.json"):
        zoo.load(run)


@pytest.mark.once_in_short
def test_weights_of_another_model(run):
    described = run.manifest.json()
    described["model"]["settings"]["latent_dim"] = 5
    run.update(**described)
    with pytest.raises(ZooError, match=r"of its state, networks/encoder/.* and not \(8, 5\)"):
        zoo.load(run)


@pytest.mark.once_in_short
def test_a_run_of_an_earlier_format(run):
    (run.path / "run.json").write_text('{"format": 1, "recipe": "vae_mnist"}')
    with pytest.raises(ZooError, match=r"of format 1.* train the run again \(zoo run vae_mnist\)"):
        zoo.load(run)


@pytest.mark.once_in_short
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.clear(), "run.json: format is missing"),
        (lambda m: m.pop("optimizers"), "run.json: optimizers is missing"),
        (lambda m: m["model"].pop("settings"), "run.json: model.settings is missing"),
        (lambda m: m["data"].update(shape=3), "data.shape is 3; a list of 1 to 4"),
        (lambda m: m["model"].update(name="vea"), "unknown model 'vea'; did you mean 'vae'"),
        (lambda m: m["model"]["settings"].update(latent=3), "unknown setting 'latent'"),
        (
            lambda m: m.update(optimizers={"autoencoder": {"class_name": 3}}),
            "is no optimizer",
        ),
        (lambda m: m.update(optimizers={}), "no optimizer for player 'autoencoder'"),
    ],
)
def test_a_damaged_manifest(run, change, message):
    described = run.manifest.json()
    change(described)
    run.write_json("run.json", described)
    with pytest.raises(ZooError, match=message):
        zoo.load(run)


@pytest.mark.once_in_short
def test_a_manifest_that_is_no_json(run):
    (run.path / "run.json").write_text(json.dumps(run.manifest.json())[:-20])
    with pytest.raises(ZooError, match="cannot read"):
        zoo.load(run)
