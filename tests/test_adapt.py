"""Statistics of the training data, set once before training; networks of a recipe's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import layers, ops

import zoo
from tests.broken.adapts_the_same_for_a_seed import Mean
from tests.broken.sound import Numbers
from zoo.testing import Small, run_checks
from zoo.training.experiment import prepare


@dataclass(frozen=True)
class Centred(Small):
    """An autoencoder that knows the mean of its examples."""

    def networks(self, data):
        mean = Mean()
        mean.build((None, *data.shape))
        return {**super().networks(data), "mean": mean}

    def adapt(self, networks, batch, rng):
        networks["mean"].mean.assign(ops.mean(batch.x, axis=0))


def recipe(**changes):
    optimizers = {"autoencoder": "sgd", "classifier": "sgd"}
    return zoo.Recipe(Centred(), Numbers(), optimizers, 1, **changes)


def mean(model):
    return ops.convert_to_numpy(model.networks["mean"].mean)


def test_a_recipe_adapts_its_model_to_the_training_examples():
    experiment = prepare(recipe())
    own = experiment.data.train.x.mean(axis=0)
    np.testing.assert_allclose(mean(experiment.model), own, rtol=1e-5)


@pytest.mark.once_in_short
def test_a_trained_run_keeps_the_statistic(tmp_path):
    run = zoo.train(recipe(), runs_folder=str(tmp_path))
    file = tmp_path / "recipe.py"
    file.write_text("from tests.test_adapt import recipe as made\n\nrecipe = made()\n")
    loaded = zoo.load(run.path, recipe=str(file))
    np.testing.assert_array_equal(mean(loaded), mean(prepare(recipe()).model))


def test_fit_adapts_when_told():
    model = zoo.build(Centred(), zoo.DataSpec((2,), 3))
    model.adapt(np.array([[1.0, 2.0], [3.0, 6.0]], "float32"), np.array([0, 1]))
    assert mean(model).tolist() == [2, 4]


def test_what_fails_in_adapt_is_told_as_the_models():
    class Failing(Centred):
        def adapt(self, networks, batch, rng):
            raise ValueError("no")

    model = zoo.build(Failing(), zoo.DataSpec((2,), 3))
    with pytest.raises(zoo.ZooError, match=r"Failing\.adapt raised ValueError: no"):
        model.adapt(np.zeros((1, 2), "float32"), np.zeros(1, "int32"))


# --- networks of a recipe's own: what is random in them is drawn from the seed


def encoder(data, model, given=None):
    net = keras.Sequential([keras.Input(data.shape), layers.Dense(4, "tanh"), layers.Dense(2)])
    if given is not None:
        net.layers[0].set_weights(given)
    return net


def weights(seed, factory):
    spec = zoo.DataSpec((3,), 3)
    model = zoo.build(Small(), spec, networks={"encoder": factory}, seed=seed)
    return [ops.convert_to_numpy(v) for v in model.networks["encoder"].variables]


def test_random_weights_of_a_given_network_are_drawn_from_the_seed():
    one, same, other = (weights(seed, encoder) for seed in (0, 0, 1))
    for a, b in zip(one, same, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(one[0], other[0])


def test_pretrained_weights_of_a_given_network_stay():
    given = [np.arange(12, dtype="float32").reshape(3, 4), np.ones(4, "float32")]
    found = weights(0, lambda data, model: encoder(data, model, given))
    np.testing.assert_array_equal(found[0], given[0])
    np.testing.assert_array_equal(found[1], given[1])
    drawn = weights(0, lambda data, model: encoder(data, model, given))
    np.testing.assert_array_equal(found[2], drawn[2])


# --- the page on statistics and on state


def of_the_page(name):
    """The class or function of this name in docs/how-to/model-state.md."""
    text = (Path(__file__).parents[1] / "docs/how-to/model-state.md").read_text(encoding="utf-8")
    [block] = [b for b in re.findall(r"```python\n(.*?)```", text, re.S) if f" {name}(" in b]
    scope = {"keras": keras, "ops": ops, "zoo": zoo}
    exec(block, scope)
    return scope[name]


@dataclass(frozen=True)
class Remembering(Small):
    """An autoencoder that keeps what it decoded, as the page says."""

    def networks(self, data):
        return {**super().networks(data), "pool": of_the_page("Pool")(3, data.shape)}

    def moves(self):
        names = ("encoder", "decoder", "classifier", "pool")
        return [zoo.Move(self.learn, updates=names)]

    def learn(self, nets, batch, rng):
        terms = super().learn(nets, batch, rng)
        past = nets.pool(nets.decoder(nets.encoder(batch.x)))
        past = ops.mean(past, axis=tuple(range(1, len(past.shape))))
        return terms | {"autoencoder": terms["autoencoder"] | {"past": past}}


@pytest.mark.once_in_short
def test_the_pool_of_the_page_passes_the_checks():
    assert [result for result in run_checks(Remembering()) if result.bad] == []


def test_the_pool_of_the_page_gives_the_oldest_samples_once_it_is_full():
    pool = of_the_page("Pool")(3, (1,))
    given = [
        ops.convert_to_numpy(pool(np.array(rows, "float32"), training=True))[:, 0].tolist()
        for rows in ([[1.0], [2.0]], [[3.0], [4.0]], [[5.0], [6.0]])
    ]
    assert given == [[1, 2], [3, 4], [4, 1]]
    assert ops.convert_to_numpy(pool.past)[:, 0].tolist() == [5, 6, 3]
    pool(np.ones((1, 1), "float32"))  # not in training: it stays
    assert ops.convert_to_numpy(pool.past)[:, 0].tolist() == [5, 6, 3]


def test_the_pseudo_inputs_of_the_page_repeat_where_examples_are_few():
    layer = keras.layers.Layer()
    layer.inputs = layer.add_weight((5, 1), "zeros", trainable=False)
    batch = zoo.Batch(ops.convert_to_tensor(np.array([[1.0], [2.0]], "float32")))
    of_the_page("adapt")(SimpleNamespace(components=5), {"pseudo": layer}, batch, None)
    assert ops.convert_to_numpy(layer.inputs)[:, 0].tolist() == [1, 2, 1, 2, 1]


def test_codes_of_a_conditional_model_are_of_its_classes_in_turn():
    model = zoo.build(zoo.model("gan", conditional=True), zoo.DataSpec((2,), 3))
    again = model.decode(model.draw(4, seed=1), labels=[0, 1, 2, 0])
    np.testing.assert_allclose(again, model.sample(4, seed=1), atol=1e-6)
