"""Networks of a recipe's own as Keras's configs: which can be kept, and what a config may name."""

from __future__ import annotations

import random

import keras
import numpy as np
import pytest
from keras import layers, ops

import zoo
from zoo import datasets
from zoo.datasets import Access
from zoo.errors import ZooError
from zoo.nn import layers as own_layers
from zoo.nn import networks
from zoo.plugin import network_configs
from zoo.plugin.serialization import NeedsRecipe
from zoo.runs import pack
from zoo.runs.manifest import parse

pytestmark = pytest.mark.once_in_short


def functional():
    """Operations, slices, shared layers, regularizers and a constant."""
    x = keras.Input((8, 8, 1))
    convolution = layers.Conv2D(3, 3, padding="same", kernel_regularizer="l2")
    h = layers.BatchNormalization()(layers.LeakyReLU()(convolution(x)))
    h = layers.Activation(keras.activations.gelu)(h * 2.0 + ops.sin(convolution(x)))
    h = ops.cast(ops.concatenate([h, h], axis=-1)[:, 1:-1], "float32")
    return keras.Model(x, layers.Dense(2, bias_constraint="non_neg")(layers.Flatten()(h)))


def unbuilt_until_called():
    network = keras.Sequential([layers.Dense(3, "tanh"), layers.Dense(4)])
    network(ops.zeros((2, 3)))
    return network


@keras.saving.register_keras_serializable("tests")
def doubled(x):
    return 2 * x


@keras.saving.register_keras_serializable("tests")
class Forgetful(layers.Dense):
    """One whose config does not say how many units."""

    def __init__(self, units=3, **options):
        super().__init__(units, **options)

    def get_config(self):
        return {k: v for k, v in super().get_config().items() if k != "units"}


class Unregistered(layers.Dense):
    """A layer of a recipe."""


def sequential(*more, shape=(4,)):
    return keras.Sequential([keras.Input(shape), *more])


KEPT = {
    "functional": functional,
    "unbuilt": unbuilt_until_called,
    "layers of the zoo": lambda: sequential(own_layers.Dropout(0.1), own_layers.Maxout(2, 2)),
    "nested": lambda: sequential(sequential(layers.Dense(2, "relu")), layers.Dense(3)),
    "recurrent": lambda: sequential(
        layers.Bidirectional(layers.LSTM(3)), layers.Reshape((2, 3)), shape=(5, 2)
    ),
    "wrapped": lambda: sequential(layers.SpectralNormalization(layers.Dense(2))),
    "registered": lambda: sequential(layers.Dense(2, activation=doubled)),
    "arrays": lambda: sequential(layers.Normalization(mean=[1.0] * 4, variance=[2.0] * 4)),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_is_kept_comes_back(name):
    network = KEPT[name]()
    before = random.getstate()
    configs = network_configs.kept({"net": network}, ("net",))
    assert random.getstate() == before
    network_configs.factories(configs)["net"](None, None)
    again = network_configs.factories(configs)["net"](None, None)  # a second time too
    assert [v.name for v in again.variables] == [v.name for v in network.variables]
    for ours, theirs in zip(again.variables, network.variables, strict=True):
        ours.assign(theirs)
    x = np.random.RandomState(0).normal(size=(3, *network.input_shape[1:])).astype("float32")
    np.testing.assert_allclose(ops.convert_to_numpy(again(x)), ops.convert_to_numpy(network(x)))


REFUSED = {
    "a Lambda": (lambda: sequential(layers.Lambda(doubled)), '"Lambda" of "keras.layers", which'),
    "a class of a recipe": (lambda: sequential(Unregistered(2)), '"Unregistered" of "tests.'),
    "a lambda": (
        lambda: sequential(layers.Dense(2, lambda x: x)),
        "has a lambda in it, which is code: a",
    ),
    "one that forgets": (lambda: sequential(Forgetful(5)), "comes back from its config with other"),
    "large outputs": (
        lambda: sequential(layers.UpSampling2D(1000), layers.UpSampling2D(10), shape=(4, 4, 1)),
        "takes 16,000,000 numbers for one example",
    ),
    "random augmentation": (
        lambda: sequential(layers.RandomFlip(), shape=(4, 4, 1)),
        '"RandomFlip" of "keras.layers"',
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_kept_says_why(name):
    make, message = REFUSED[name]
    with pytest.raises(ZooError, match=message) as raised:
        network_configs.kept({"net": make()}, ("net",))
    assert "recipe" not in str(raised.value)


def test_networks_that_share_weights_are_not_kept():
    trunk = sequential(layers.Dense(3))
    both = {"a": sequential(trunk), "b": sequential(trunk, layers.Dense(2))}
    with pytest.raises(ZooError, match="network 'a' shares weights with 'b'"):
        network_configs.kept(both, ("a",))


def test_a_class_that_is_not_here_asks_for_the_recipe():
    config = {"module": "theirs", "class_name": "X", "config": {}, "registered_name": "theirs>X"}
    with pytest.raises(NeedsRecipe, match=r'network "net" has "X" of "theirs".*--recipe FILE'):
        network_configs.factories({"net": config})


def test_a_run_says_when_it_will_need_its_recipe(tmp_path):
    def recipe(*more):
        own = [keras.Input((2,)), layers.Dense(64), layers.Reshape((8, 8, 1)), *more]
        return zoo.Recipe(
            model=zoo.model("ae", latent_dim=2, units=(4,)),
            dataset=datasets.Digits(batch_size=512),
            optimizers={"autoencoder": "sgd"},
            networks={"decoder": lambda data, model: keras.Sequential(own)},
            epochs=1,
        )

    said: list[str] = []
    options = {"runs_folder": str(tmp_path), "access": Access(say=said.append), "say": said.append}
    run = zoo.train(recipe(), name="kept", **options)
    assert run.networks.is_file() and not any("--recipe" in line for line in said)
    assert not run.needs_recipe(run.manifest)
    assert zoo.load(run).sample is not None
    packed = pack.pack(run, tmp_path / "pack")
    for folder in (run, packed):
        assert run.networks.name in folder.manifest.sha256
        content = folder.networks.read_bytes()
        folder.networks.write_bytes(content.replace(b'"linear"', b'"relu"', 1))
        for _ in ("changed", "gone"):
            with pytest.raises(ZooError, match=r"networks\.json is not what training ended with"):
                zoo.load(folder)
            folder.networks.unlink(missing_ok=True)
        folder.networks.write_bytes(content)
    run.sampler.write_bytes(packed.packed_weights.read_bytes())  # the recipe has none
    with pytest.raises(ZooError, match=r"sampler\.safetensors is not what training ended with"):
        zoo.load(run)
    run.sampler.unlink()
    other = zoo.train(recipe(layers.Lambda(doubled)), name="code", **options)
    [line] = [line for line in said if "--recipe" in line]
    assert line.startswith("later commands on this run need its recipe (--recipe FILE): network")
    assert not other.networks.exists() and other.needs_recipe(other.manifest)
    described = parse(run.read_json("run.json") | {"networks": ["encoder"]})
    run.update(networks=described.networks)
    with pytest.raises(ZooError, match=r"networks\.json is not of its networks encoder"):
        zoo.load(run)


def test_networks_smaller_than_the_models_own_load(tmp_path):
    """The model's are built as well, which is no reason to take the run for a hostile one."""

    def small(data, model):
        return networks.encoder(shape=data.shape, units=(2,), outputs=2)

    recipe = zoo.Recipe(
        model=zoo.model("ae", latent_dim=2, units=(900, 400)),
        dataset=datasets.Digits(batch_size=512),
        optimizers={"autoencoder": "sgd"},
        networks={
            "encoder": small,
            "decoder": lambda data, model: networks.decoder(
                shape=(2,), units=(2,), outputs=data.shape
            ),
        },
        epochs=1,
    )
    run = zoo.train(recipe, runs_folder=str(tmp_path))
    assert zoo.load(run.path).encode(np.zeros((1, 8, 8, 1), "uint8")).shape == (1, 2)
