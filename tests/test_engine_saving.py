"""Weights and whole models in files."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
import zipfile

import keras
import numpy as np
import pytest

import zoo
from tests.models import Critic, Toy, build, dense, points, same, square, weights


def vae(**options):
    model = zoo.build(
        zoo.model("vae", latent_dim=2, units=(8,)), zoo.DataSpec((8, 8, 1)), seed=4, **options
    )
    model.compile({"autoencoder": keras.optimizers.Adam(1e-3)}, ema=0.9)
    return model


def pictures(n=8):
    return (np.arange(n * 64).reshape(n, 8, 8, 1) * 7 % 256).astype("uint8")


def state(model):
    """All numbers of a compiled model."""
    weights = [np.array(v.numpy()) for v in model.variables]
    return weights + [np.array(v.numpy()) for v in model.optimizer.variables]


# --- weights


def two_alike(first, second):
    networks = {first: dense(3, 2), second: dense(3, 2)}
    players = {name: [name] for name in networks}
    return build(Toy(networks, players, [square(name) for name in networks]), 2)


def test_networks_of_one_shape_in_another_order_keep_their_weights(tmp_path):
    saved = two_alike("left", "right")
    saved.fit(points(4), verbose=0)
    saved.save_weights(tmp_path / "x.weights.h5")
    loaded = two_alike("right", "left")
    loaded.load_weights(tmp_path / "x.weights.h5")
    assert not same(weights(saved, "left"), weights(saved, "right"))
    for name in ("left", "right"):
        assert same(weights(saved, name), weights(loaded, name))


def test_slots_and_counts_come_back_and_training_goes_on_equal(tmp_path):
    def make():
        return build(
            Critic(), 2, optimizer=lambda: keras.optimizers.Adam(1e-3), compile={"ema": 0.9}
        )

    def step(model):
        model.train_on_batch(points(8))

    model = make()
    for _ in range(3):
        step(model)
    model.save_weights(tmp_path / "x.weights.h5")
    loaded = make()
    loaded.load_weights(tmp_path / "x.weights.h5")
    assert int(loaded.optimizer.iterations.numpy()) == 3
    assert same(state(model), state(loaded))
    for each in (model, loaded):
        step(each)
    assert same(state(model), state(loaded))


def test_a_file_of_another_model_is_refused(tmp_path):
    two_alike("left", "right").save_weights(tmp_path / "x.weights.h5")
    with pytest.raises(ValueError, match="could not be loaded"):
        two_alike("left", "middle").load_weights(tmp_path / "x.weights.h5")


# --- whole models


def test_a_loaded_model_is_the_same_and_trains_on(tmp_path):
    model = vae(weights={"autoencoder": {"kl": 0.5}})
    model.fit(pictures(), batch_size=4, verbose=0)
    model.save(tmp_path / "vae.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # such as that of containers left out
        loaded = keras.saving.load_model(tmp_path / "vae.keras")
    assert loaded.plugin == model.plugin and loaded.data == model.data and loaded.seed == 4
    assert same(state(model), state(loaded))
    np.testing.assert_array_equal(model.sample(5), loaded.sample(5))
    for each in (model, loaded):
        each.fit(pictures(), batch_size=4, verbose=0, shuffle=False)
    assert same(state(model), state(loaded))


def test_a_model_that_is_not_compiled_loads_so(tmp_path):
    model = zoo.build(zoo.model("vae", latent_dim=2, units=(8,)), zoo.DataSpec((8, 8, 1)))
    model.save(tmp_path / "vae.keras")
    assert not keras.saving.load_model(tmp_path / "vae.keras").compiled


def test_a_file_holds_settings_and_public_names_alone(tmp_path):
    """So that it loads on every backend, and holds nothing to run."""
    model = vae(weights={"autoencoder": {"kl": keras.optimizers.schedules.CosineDecay(1.0, 9)}})
    model.save(tmp_path / "vae.keras")
    with zipfile.ZipFile(tmp_path / "vae.keras") as file:
        config = json.loads(file.read("config.json"))
    assert config["registered_name"] == "zoo>GenerativeModel"
    assert config["config"]["model"] == {
        "name": "vae",
        "class": "zoo_vae:VAE",
        "settings": {
            "latent_dim": 2,
            "units": [8],
            "convolutional": False,
            "filters": [32, 64],
            "activation": "silu",
            "likelihood": "bernoulli",
            "conditional": False,
        },
    }
    text = json.dumps(config)
    assert "lambda" not in text and "keras.src" not in text
    optimizer = config["compile_config"]["optimizers"]["autoencoder"]
    assert (optimizer["module"], optimizer["class_name"]) == ("keras.optimizers", "Adam")
    loaded = keras.saving.load_model(tmp_path / "vae.keras")
    kept = loaded.given_weights["autoencoder"]["kl"]
    assert isinstance(kept, keras.optimizers.schedules.CosineDecay)


def test_mixed_precision_comes_back(tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = vae()
    finally:
        keras.config.set_dtype_policy("float32")
    model.fit(pictures(), verbose=0)
    model.save(tmp_path / "vae.keras")
    loaded = keras.saving.load_model(tmp_path / "vae.keras")
    assert keras.config.dtype_policy().name == "float32"
    assert loaded.networks["encoder"].layers[-1].compute_dtype == "float16"
    assert same(state(model), state(loaded))


@pytest.mark.once_in_short
def test_loading_where_nothing_of_the_zoo_is_imported(tmp_path):
    model = vae()
    model.save(tmp_path / "vae.keras")
    code = (
        "import keras, zoo, sys; zoo.build; "
        "model = keras.saving.load_model(sys.argv[1]); print(model.sample(1).mean())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "vae.keras")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == pytest.approx(model.sample(1).mean(), rel=1e-5)


def test_an_unregistered_model_says_why_it_is_not_saved(tmp_path):
    with pytest.raises(zoo.ZooError, match=r"Critic is not registered.*save_weights"):
        build(Critic(), 2).save(tmp_path / "x.keras")


def test_networks_of_the_users_own_are_saved_where_they_are_no_code(tmp_path):
    def build(*more):
        networks = {"decoder": lambda data, vae: own_decoder(*more)}
        plugin = zoo.model("vae", latent_dim=2, units=(8,))
        return zoo.build(plugin, zoo.DataSpec((8, 8, 1)), networks=networks)

    model = build()
    model.save(tmp_path / "x.keras")
    again = keras.saving.load_model(tmp_path / "x.keras")
    np.testing.assert_allclose(again.sample(3), model.sample(3), atol=1e-6)
    with pytest.raises(zoo.ZooError, match=r'VAE: network "decoder" has "Lambda".*save_weights'):
        build(keras.layers.Lambda(lambda x: x)).save(tmp_path / "y.keras")


def own_decoder(*more):
    layers = keras.layers
    own = [layers.Dense(64), layers.Reshape((8, 8, 1)), *more]
    return keras.Sequential([keras.Input((2,)), *own])
