"""One table of limits: what trains can be loaded, and what is beyond is refused at both ends."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import keras
import numpy as np
import pytest

import zoo
from tests.manifests import DATA, PART, manifest
from zoo import callbacks, datasets, metrics
from zoo.datasets import Access, Data, Split
from zoo.errors import ZooError
from zoo.nn import samplers
from zoo.plugin import budget, limits, serialization
from zoo.runs.manifest import parse
from zoo.runtime import memory
from zoo.training.experiment import prepare

pytestmark = pytest.mark.once_in_short
REPOSITORY = Path(__file__).parents[1]


def recipe(model=None, **changes):
    settings = {
        "model": model or zoo.model("ae", latent_dim=2, units=(4,)),
        "dataset": datasets.Digits(),
        "optimizers": {"autoencoder": "sgd"},
        "epochs": 1,
    }
    return zoo.Recipe(**(settings | changes))


def settings(**given):
    return PART | {"settings": given}


def trained_on(**given):
    return manifest(data=DATA | given)


class Many(np.ndarray):
    """Examples that are many, and take no memory."""

    def __new__(cls, n):
        return np.broadcast_to(np.zeros((1, 2), "float32"), (n, 2)).view(cls)


def split_of(n):
    none = Split(np.zeros((0, 2), "float32"))
    data = Data("own", zoo.DataSpec((2,)), Split(Many(n)), none, none, fingerprint="0")
    data._check_sources(data.train, "own")
    if n > limits.MOST_COUNT:
        data.check()


# of each limit: what is trained with that many, and the manifest of a run of that many
BOTH_ENDS = {
    "MOST_RANK": (
        lambda n: zoo.DataSpec((1,) * n),
        lambda n: trained_on(shape=[1] * n),
    ),
    "MOST_NUMBERS": (
        lambda n: zoo.DataSpec((n,)),
        lambda n: trained_on(shape=[n]),
    ),
    "MOST_CLASSES": (
        lambda n: zoo.DataSpec((2,), classes=n),
        lambda n: trained_on(classes=n),
    ),
    "MOST_COUNT": (
        split_of,
        lambda n: trained_on(examples={"train": n}),
    ),
    "MOST_DRAWS": (
        lambda n: metrics.LogLikelihood(samples=n),
        lambda n: manifest(
            metrics=[{"name": "log_likelihood", "class": "x:Y", "settings": {"samples": n}}]
        ),
    ),
}


@pytest.mark.parametrize("name", BOTH_ENDS)
def test_what_trains_can_be_loaded_and_what_is_beyond_is_refused_at_both_ends(name):
    most, (train, described) = getattr(limits, name), BOTH_ENDS[name]

    def load(n):
        found = parse(json.loads(json.dumps(described(n))))
        serialization.rebuild({**found.json(), "model": serialization.settings_of(_AE, "models")})
        for metric in found.metrics:
            zoo.plugin.registry.create("metrics", metric.name, **metric.settings)

    for end in (train, load):
        end(most)
        with pytest.raises(ZooError) as told:
            end(most + 1)
        assert len(str(told.value)) < 400


_AE = zoo.model("ae", latent_dim=2, units=(4,))


def test_the_table_is_in_the_docs():
    page = (REPOSITORY / "docs/reference/limits.md").read_text(encoding="utf-8")
    for name, value in vars(limits).items():
        if name.startswith("MOST_"):
            assert f"| {value:,} |" in page, f"docs/reference/limits.md does not say {name}"


@pytest.mark.parametrize(
    "make",
    [
        lambda n: recipe(zoo.model("ae", latent_dim=n)),
        lambda n: recipe(zoo.model("ae", units=(8, n))),
        lambda n: recipe(dataset=datasets.Digits(batch_size=n)),
        lambda n: recipe(epochs=n),
        lambda n: recipe(sampler=samplers.GaussianMixture(n)),
        lambda n: recipe(metrics=[metrics.Recognition(samples=n)]),
        lambda n: datasets.Ring(n=n),
        lambda n: datasets.StackedMNIST(held_out=n),
        lambda n: datasets.Sprites(n=n),
        lambda n: callbacks.SampleGrid(n=n),
        lambda n: callbacks.LatentManifold(n=n),
        lambda n: callbacks.Checkpoint(keep=n),
        lambda n: callbacks.TensorBoard(every=n),
        lambda n: zoo.model("flow_matching", steps=n),
        lambda n: zoo.model("iwae", samples=n),
        lambda n: zoo.nn.distributions.StandardNormal(n),
        lambda n: zoo.nn.schedules.WarmUp(n),
        lambda n: zoo.Move(len, repeat=n),
    ],
)
@pytest.mark.parametrize("n", [10**15, 2**63 - 1])
def test_a_count_that_nothing_counts_up_to_is_refused_where_it_is_written(make, n):
    with pytest.raises(ZooError, match=str(n)):
        made = make(n)
        zoo.build(made, zoo.DataSpec((8, 8, 1)))  # a bare model is looked at when it is built


@pytest.mark.parametrize(
    "model",
    [
        ("ae", {"latent_dim": 50_000_000}),
        ("vae", {"units": (10**6, 10**6)}),
        ("vae", {"convolutional": True, "filters": (10**5, 10**5)}),
        ("vqvae", {"codes": 10**8, "dimension": 10**4}),
        ("dcgan", {"kernel": 10**6}),
    ],
)
def test_networks_that_the_machine_has_no_memory_for_are_refused_by_an_estimate(model):
    name, given = model
    with pytest.raises(ZooError, match=r"networks of [\d,]+ weights.* would take [\d,]+ GB"):
        zoo.build(zoo.model(name, **given), zoo.DataSpec((32, 32, 1)))


def test_networks_of_too_many_layers_are_refused(monkeypatch):
    monkeypatch.setattr(budget, "MOST_WEIGHTS", 20)
    with pytest.raises(ZooError, match="AE: its networks have more than 20 arrays of weights"):
        zoo.build(zoo.model("ae", units=(1,) * 100), zoo.DataSpec((2,)))


def test_large_networks_that_fit_are_those_that_are_not_counted_first(monkeypatch):
    monkeypatch.setattr(budget, "_AT_ONCE", 50)
    counted, plain = zoo.build(_AE, zoo.DataSpec((8, 8, 1))), None
    monkeypatch.undo()
    plain = zoo.build(_AE, zoo.DataSpec((8, 8, 1)))
    for one, other in zip(counted.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_network_of_the_recipe_is_held_to_the_same(monkeypatch):
    def wide(data, model):
        return keras.Sequential([keras.Input(data.shape), keras.layers.Dense(10**13)])

    with pytest.raises(ZooError, match=r"would take [\d,]+ GB of memory"):
        zoo.build(_AE, zoo.DataSpec((2,)), networks={"encoder": wide})


def test_a_batch_that_the_machine_has_no_memory_for_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "most", lambda: 10**6)
    told = r"a batch of 1,397: what \w+ gives for it alone, 4,096 numbers for each example, would"
    with pytest.raises(ZooError, match=told):
        prepare(
            recipe(
                zoo.model("ae", latent_dim=2, units=(4_096,)),
                dataset=datasets.Digits(batch_size=10**6),
            ),
            Access(say=lambda line: None),
        )


def test_points_that_the_machine_has_no_memory_for_are_refused(monkeypatch):
    monkeypatch.setattr(memory, "most", lambda: 10**6)
    with pytest.raises(ZooError, match=r"Ring: drawing 100,000 points and 10,000 held out would"):
        datasets.Ring().load()


def test_what_is_refused_was_not_asked_of_the_memory():
    assert memory.most() > 10**8
    memory.refuse_beyond(memory.most(), "x", "y")
    with pytest.raises(ZooError, match=r"^x would take .* of memory or more, .*: y$"):
        memory.refuse_beyond(memory.most() + 1, "x", "y")


def test_a_seed_may_be_any_number():
    assert recipe(seed=2**63 - 1, dataset=datasets.Ring(n=8, seed=2**40)).seed == 2**63 - 1
    assert dataclasses.replace(recipe(), seed=10**12).seed == 10**12
