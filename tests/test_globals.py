"""A run is a function of its recipe: Keras's settings of the process have no part in it."""

from __future__ import annotations

import contextlib

import keras
import numpy as np
import pytest

import zoo
from zoo import datasets
from zoo.datasets import Access
from zoo.runtime.keras import pinned

QUIET = Access(say=lambda line: None)


def now():
    config = keras.config
    policy = config.dtype_policy().name
    return config.floatx(), config.epsilon(), config.image_data_format(), policy


@contextlib.contextmanager
def set_to(floatx="float32", epsilon=1e-7, layout="channels_last", policy="float32"):
    before = now()

    def put(floatx, epsilon, layout, policy):
        keras.config.set_floatx(floatx)
        keras.config.set_epsilon(epsilon)
        keras.config.set_image_data_format(layout)
        keras.config.set_dtype_policy(policy)

    put(floatx, epsilon, layout, policy)
    try:
        yield
    finally:
        put(*before)


FOREIGN = [
    {"floatx": "float16", "policy": "float16"},
    {"floatx": "float64"},
    {"epsilon": 1e-3},
    {"layout": "channels_first"},
    {"policy": "mixed_bfloat16"},
]

RECIPE = """
import keras
import zoo
from zoo import datasets, metrics

recipe = zoo.Recipe(
    model=zoo.model("vae", units=(4,), latent_dim=2),
    dataset=datasets.Digits(batch_size=256),
    optimizers={"autoencoder": keras.optimizers.Adam(0.0011)},
    epochs=1,
    ema=0.99,
    metrics=[metrics.ELBO()],
)
"""


def outcome(folder):
    """Weights, results and samples of a run from a file, loaded again; types included."""
    from zoo.config import recipe as recipes

    path = folder / "recipe.py"
    path.write_text(RECIPE)
    run = zoo.train(recipes.load(path), source=path, runs_folder=str(folder), access=QUIET)
    results = run.read_json("results.json")
    loaded = zoo.load(run)
    weights = [v.numpy() for v in loaded.variables]
    return weights, results["test"], results["metrics"], loaded.sample(3, seed=1)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    return outcome(tmp_path_factory.mktemp("untouched"))


@pytest.mark.once_in_short
@pytest.mark.parametrize("foreign", FOREIGN, ids=lambda own: "-".join(map(str, own.values())))
def test_a_run_is_the_same_whatever_the_process_is_set_to(tmp_path, untouched, foreign):
    with set_to(**foreign):
        before = now()
        weights, test, measured, samples = outcome(tmp_path)
        assert now() == before
    assert [w.dtype for w in weights] == [w.dtype for w in untouched[0]]
    for found, expected in zip(weights, untouched[0], strict=True):
        np.testing.assert_array_equal(found, expected)
    assert (test, measured) == untouched[1:3]
    np.testing.assert_array_equal(samples, untouched[3])


@pytest.mark.once_in_short
def test_settings_are_put_back_after_an_error_too():
    with set_to("float16", 1e-3, "channels_first", "mixed_float16"):
        before = now()
        with pytest.raises(zoo.ZooError), pinned():
            assert now() == ("float32", 1e-7, "channels_last", "float32")
            raise zoo.ZooError("broken off")
        recipe = zoo.Recipe(
            model=zoo.model("vae"),
            dataset=datasets.Arrays("nowhere.npz"),
            optimizers={"autoencoder": "sgd"},
            epochs=1,
        )
        with pytest.raises(zoo.ZooError, match=r"there is no .*nowhere"):
            zoo.train(recipe, access=QUIET)
        assert now() == before


@pytest.mark.parametrize("floatx", ["float16", "float64"])
def test_sums_of_a_model_of_ones_own_are_float32(floatx):
    with set_to(floatx):
        model = zoo.build(zoo.model("vae", units=(4,), latent_dim=2), zoo.DataSpec((4, 4, 1)))
        model.compile(optimizers={"autoencoder": "sgd"}, ema=0.999)
        sums = [model._terms.total, model._terms.count]
        assert {keras.backend.standardize_dtype(v.dtype) for v in sums} == {"float32"}
        many = [keras.ops.full(v.shape, 70_000.0, "float32") for v in sums]  # outgrows float16
        model._terms.update_state(*many, 70_000)
        assert all(float(value) == 1.0 for value in model._terms.result().values())


def test_a_floatx_that_makes_floats_of_integers_is_told():
    with set_to("bfloat16"):
        if keras.backend.backend() == "jax":
            with pytest.raises(zoo.ZooError, match=r"floatx='bfloat16'.*mixed_bfloat16"):
                zoo.build("vae", zoo.DataSpec((4, 4, 1)))
        else:
            assert zoo.build("vae", zoo.DataSpec((4, 4, 1))).sample(1).shape == (1, 4, 4, 1)


def test_averages_follow_at_the_rate_asked_for():
    with set_to("float16", policy="float32"):
        model = zoo.build(zoo.model("vae", units=(4,), latent_dim=2), zoo.DataSpec((4, 4, 1)))
        model.compile(optimizers={"autoencoder": "sgd"}, ema=0.9999)  # in float16, it would be 1
        average = model.optimizer.average
        for weight in model.trainable_variables:
            weight.assign(keras.ops.ones(weight.shape, "float32"))
        for kept in average._model_variables_moving_average:
            kept.assign(keras.ops.zeros(kept.shape, "float32"))
        average.follow(first=False)
        for kept in average._model_variables_moving_average:
            np.testing.assert_allclose(kept.numpy(), 1e-4, rtol=1e-3)


@pytest.mark.once_in_short
def test_a_model_of_ones_own_follows_the_process():
    with set_to(policy="mixed_bfloat16"):
        model = zoo.build(zoo.model("vae", units=(4,), latent_dim=2), zoo.DataSpec((4, 4, 1)))
    dense = [v for v in model.networks["encoder"].layers if isinstance(v, keras.layers.Dense)]
    assert {layer.compute_dtype for layer in dense} == {"bfloat16"}
