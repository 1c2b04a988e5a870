"""``key=value``: every kind of setting, and every kind of mistake."""

from __future__ import annotations

import dataclasses

import keras
import pytest

import zoo
from zoo import callbacks, datasets, metrics
from zoo.config.overrides import override
from zoo.errors import ZooError

pytestmark = pytest.mark.backend_free


@pytest.fixture
def recipe():
    return zoo.Recipe(
        model=zoo.model("vae"),
        dataset=datasets.Digits(),
        optimizers={"autoencoder": keras.optimizers.Adam(1e-3)},
        weights={"autoencoder": {"kl": 1.0}},
        networks={"encoder": lambda data, model: None},
        callbacks=[
            callbacks.SampleGrid(),
            callbacks.TensorBoard(),
            keras.callbacks.EarlyStopping(patience=3),
        ],
        metrics=[metrics.ELBO(), metrics.LogLikelihood(samples=100)],
        sampler=zoo.nn.samplers.GaussianMixture(2),
        epochs=20,
    )


def value(recipe, key):
    """What a key names."""
    found = recipe
    for part in key.split("."):
        if isinstance(found, dict):
            found = found[part]
        elif isinstance(found, list):
            names = [type(item).__name__ for item in found]
            found = found[int(part) if part.isdigit() else names.index(part)]
        else:
            found = getattr(found, part)
    return found


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("epochs=3", 3),
        ("seed=-1", -1),
        ("ema=0.99", 0.99),
        ("ema=None", None),
        ("ema=none", None),
        ("precision=mixed_bfloat16", "mixed_bfloat16"),
        ("model.latent_dim=8", 8),
        ("model.units=[64,32]", (64, 32)),
        ("model.units=(64,)", (64,)),
        ("model.units=64,32", (64, 32)),
        ("model.units.1=8", (512, 8)),
        ("model.convolutional=True", True),
        ("model.convolutional=true", True),
        ("model.activation=relu", "relu"),
        ("model.activation='relu'", "relu"),
        ("model.activation=a=b", "a=b"),
        ("model.activation=1", "1"),
        ("dataset.batch_size=64", 64),
        ("dataset.binarize=fixed", "fixed"),
        ("optimizers.autoencoder=sgd", "sgd"),
        ("optimizers.autoencoder.clipnorm=1", 1),
        ("weights.autoencoder.kl=4", 4.0),
        ("weights.autoencoder.reconstruction=0.5", 0.5),
        ("callbacks.SampleGrid.every=5", 5),
        ("callbacks.0.n=16", 16),
        ("callbacks.EarlyStopping.patience=7", 7),
        ("metrics.LogLikelihood.samples=10", 10),
        ("callbacks=[]", []),
        ("callbacks=()", []),
        ("metrics=[]", []),
        ("augment=[]", []),
        ("networks={}", {}),
        ("weights={}", {}),
        ("sampler=none", None),
    ],
)
def test_a_setting_is_changed(recipe, change, expected):
    before = recipe.model, recipe.dataset, recipe.epochs
    changed = override(recipe, [change])
    found = value(changed, change.partition("=")[0].removesuffix(".1"))
    assert found == expected
    assert type(found) is type(expected)
    assert (recipe.model, recipe.dataset, recipe.epochs) == before
    assert recipe.weights == {"autoencoder": {"kl": 1.0}}
    assert recipe.callbacks[0].every == 1


def test_the_learning_rate(recipe):
    changed = override(recipe, ["optimizers.autoencoder.learning_rate=3e-4"])
    rates = [float(r.optimizers["autoencoder"].learning_rate) for r in (recipe, changed)]
    assert rates == pytest.approx([1e-3, 3e-4])
    assert type(changed.optimizers["autoencoder"]) is type(recipe.optimizers["autoencoder"])


def test_the_settings_of_an_optimizer_that_is_named(recipe):
    changes = ["optimizers.autoencoder=adamw", "optimizers.autoencoder.learning_rate=1"]
    optimizer = override(recipe, changes).optimizers["autoencoder"]
    assert isinstance(optimizer, keras.optimizers.AdamW)
    assert float(optimizer.learning_rate) == 1


def test_a_schedule_gives_way_to_a_number_and_has_parts(recipe):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    optimizers = {"autoencoder": keras.optimizers.Adam(schedule)}
    scheduled = zoo.Recipe(recipe.model, recipe.dataset, optimizers, epochs=1)
    rate = "optimizers.autoencoder.learning_rate"
    number = override(scheduled, [f"{rate}=0.5"])
    assert float(number.optimizers["autoencoder"].learning_rate) == 0.5
    part = override(scheduled, [f"{rate}.config.decay_steps=20"])
    assert part.optimizers["autoencoder"]._learning_rate.decay_steps == 20


def test_a_setting_beside_one_whose_annotation_cannot_be_read(recipe):
    @dataclasses.dataclass(frozen=True)
    class Local(datasets.Digits):
        extra: Unimported = None  # noqa: F821  # as if imported under TYPE_CHECKING

    local = dataclasses.replace(recipe, dataset=Local())
    changed = override(local, ["dataset.extra=x", "dataset.batch_size=7"]).dataset
    assert (changed.extra, changed.batch_size) == ("x", 7)
    with pytest.raises(ZooError, match=r"dataset\.batch_size"):
        override(local, ["dataset.batch_size=x"])


def test_changes_are_made_in_order(recipe):
    assert override(recipe, ["epochs=3", "seed=1", "epochs=4"]).epochs == 4
    assert override(recipe, []) is recipe


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        (["model=ae"], "model", zoo.model("ae")),
        (["model=iwae", "model.samples=7"], "model", zoo.model("iwae", samples=7)),
        (["model.latent_dim=3", "model=vae"], "model", zoo.model("vae")),
        (["dataset=folder", "dataset.path=a"], "dataset", datasets.Folder("a")),
        (["dataset=Folder('a')", "dataset.size=9"], "dataset", datasets.Folder("a", size=9)),
        (["dataset=keras-zoo/ring", "epochs=2"], "dataset", datasets.Ring()),
        (["dataset=ring", "dataset=folder(path='b')"], "dataset", datasets.Folder("b")),
        (["sampler=GaussianMixture(3)"], "sampler", zoo.nn.samplers.GaussianMixture(3)),
        (["sampler=none", "sampler=GaussianMixture"], "sampler", zoo.nn.samplers.GaussianMixture()),
    ],
)
def test_a_part_is_named_anew_with_the_settings_that_follow(recipe, changes, field, expected):
    assert getattr(override(recipe, changes), field) == expected


def test_a_model_named_anew_has_its_own_weights_and_networks(recipe):
    changed = override(recipe, ["model=ae", "weights.autoencoder.mse=2"])
    assert (changed.weights, changed.networks) == ({"autoencoder": {"mse": 2.0}}, {})
    assert override(recipe, ["model=vae"]).weights == recipe.weights
    assert changed.optimizers == recipe.optimizers


def test_weights_where_the_recipe_is_silent(recipe):
    silent = zoo.Recipe(recipe.model, recipe.dataset, recipe.optimizers, epochs=1)
    assert override(silent, ["weights.autoencoder.kl=2"]).weights == {"autoencoder": {"kl": 2.0}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("epochs", r"'epochs': a change is key=value, as in epochs=3"),
        ("=3", "a change is key=value"),
        ("epoch=3", r"recipe: unknown setting 'epoch'; did you mean 'epochs'\?"),
        ("=", "a change is key=value"),
        ("model..x=3", "model: unknown setting ''"),
        ("epochs=many", r"epochs takes int, not 'many' \(str\)"),
        ("epochs=", "epochs takes int, not ''"),
        ("epochs=3.5", r"epochs takes int, not 3\.5"),
        ("epochs=0", "epochs is an integer, at least 1"),
        ("epochs=__import__('os')", 'epochs takes int, not "__import__'),
        ("epochs=" + "(" * 1000, "epochs takes int"),
        ("epochs.x=3", "epochs is 20 and has no parts"),
        ("model=vea", r"unknown model 'vea'; did you mean 'vae'\?"),
        ("model=gan", r"model=gan: it trains discriminator, generator.*Take a recipe of gan: gan_"),
        ("model=3", r"model is written as in a recipe, NAME\(setting=value\), with one of .*vae"),
        ("dataset=folder", r"dataset=folder needs path: add dataset\.path=VALUE$"),
        ("dataset=folder(pth='x')", r"unknown setting 'pth'; did you mean 'path'\?|needs path"),
        ("sampler=Gauss", r"sampler: unknown part 'Gauss'.*GaussianMixture"),
        (
            "callbacks=[1]",
            r"callbacks is changed in its parts: callbacks\.NAME=\.\.\., where NAME is "
            r"SampleGrid or TensorBoard or EarlyStopping, or a place from 0; callbacks=\[\] leaves",
        ),
        ("callbacks={}", r"callbacks is changed in its parts"),
        ("weights=[]", r"weights is changed in its parts: .*; weights=\{\} leaves it out"),
        (
            "sampler=0",
            r"sampler is written as in a recipe, .* GaussianMixture; not '0'",
        ),
        ("optimizers={}", r"optimizers is changed in its parts: optimizers\.NAME=\.\.\.$"),
        ("model.latent=3", r"model: unknown setting 'latent'; did you mean 'latent_dim'\?"),
        ("model.units=8", r"model\.units takes a tuple of int, not 8 \(int\)"),
        ("model.units.2=8", r"model\.units: unknown entry '2'"),
        ("model.units.0=x", r"model\.units takes a tuple of int, not \['x', 256\]"),
        ("model.convolutional=1", r"model\.convolutional takes bool, not 1"),
        ("modle.latent_dim=3", r"unknown setting 'modle'; did you mean 'model'\?"),
        ("dataset.batch_size=0", "batch_size is an integer, at least 1"),
        ("dataset.binarize=dynamc", r"got 'dynamc'; did you mean 'dynamic'\?"),
        ("dataset.sizes=8", r"dataset: unknown setting 'sizes'; did you mean 'size'\?"),
        (
            "optimizers.autoencodr.learning_rate=1",
            r"optimizers: unknown setting 'autoencodr'; did you mean 'autoencoder'\?",
        ),
        (
            "optimizers.autoencoder.learning_rat=1",
            r"autoencoder: unknown setting 'learning_rat'; did you mean 'learning_rate'\?",
        ),
        ("optimizers.autoencoder.learning_rate=fast", "learning_rate takes float, not 'fast'"),
        ("weights.kl=1", r"a weight is set as weights\.PLAYER\.TERM=number"),
        ("weights.autoencoder.kl=high", r"weights\.autoencoder\.kl takes float, not 'high'"),
        ("weights.autoencoder.kl.x=1", r"a weight is set as"),
        ("networks.encoder=x", r"networks\['encoder'\] takes a function, not 'x'"),
        ("callbacks.SampelGrid.every=1", r"unknown entry 'SampelGrid'; did you mean 'SampleGrid'"),
        ("callbacks.9.every=1", "callbacks: unknown entry '9'"),
        ("callbacks.SampleGrid.evry=1", r"callbacks\.SampleGrid: unknown setting 'evry'.*'every'"),
        ("callbacks.SampleGrid.every=0", "every is a number of epochs"),
        ("callbacks.SampleGrid=3", r"callbacks\[0\] takes Callback, not 3"),
        ("callbacks.EarlyStopping.patience=long", "patience takes int, not 'long'"),
        ("callbacks.EarlyStopping.patients=1", r"unknown setting 'patients'.*'patience'"),
        ("metrics.LogLikelihood.samples=0", "samples is an integer, from 1 to 1,000,000"),
        ("precision=float16", "precision takes one of 'float32'"),
    ],
)
def test_a_mistake_is_refused_with_the_nearest_spelling(recipe, change, message):
    with pytest.raises(ZooError, match=message):
        override(recipe, [change])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("callbacks.²=1", "callbacks: unknown entry '²'"),
        ("callbacks.٣=1", "callbacks: unknown entry '٣'"),
        ("metrics.¹.samples=1", "metrics: unknown entry '¹'"),
        ("model.units.²=1", r"model\.units: unknown entry '²'"),
        ("callbacks.00=1", "callbacks: unknown entry '00'"),
        ("seed=" + "9" * 300, "seed: an integer has at most 64 bits, and this one 997"),
        ("seed=" + "9" * 5000, r"seed takes int, not '9{70,} \.\.\. \(str\)$"),
        ("epochs=0x" + "f" * 6000, "epochs: an integer has at most 64 bits"),
        ("model.units=(8, 1" + "0" * 40 + ")", r"model\.units: an integer has at most 64 bits"),
        ("weights.autoencoder.kl=" + "9" * 400, "kl: an integer has at most 64 bits"),
        ("model=" + "a" * 20_000, "unknown model 'a{70,} "),
        ("epochs=" + "a " * 10_000, "epochs takes int, not 'a a "),
        ("a" * 20_000, "a change is key=value"),
        ("a" * 20_000 + "=1", "recipe: unknown setting 'aaa"),
    ],
)
def test_what_no_one_means_is_told_in_a_short_message(recipe, change, message):
    with pytest.raises(ZooError, match=message) as error:
        override(recipe, [change])
    assert len(str(error.value)) < 400


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("decay_steps=abc", "decay_steps takes int, not 'abc'"),
        ("decay_rate=[1]", r"decay_rate takes float, not \[1\]"),
        ("staircase=maybe", "staircase takes bool, not 'maybe'"),
    ],
)
def test_a_value_within_a_schedule_has_the_type_of_the_one_before(recipe, change, message):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    optimizers = {"autoencoder": keras.optimizers.Adam(schedule)}
    scheduled = dataclasses.replace(recipe, optimizers=optimizers)
    with pytest.raises(ZooError, match=message):
        override(scheduled, [f"optimizers.autoencoder.learning_rate.config.{change}"])


def test_what_keras_refuses_is_told_with_the_key(recipe):
    changes = [f"optimizers.autoencoder.{name}=1" for name in ("clipnorm", "clipvalue")]
    with pytest.raises(ZooError, match=r"optimizers\.autoencoder\.clipvalue: Only one of"):
        override(recipe, changes)


def test_what_keras_uses_before_it_looks_at_it_is_told_with_the_key(recipe):
    flipped = dataclasses.replace(recipe, augment=[keras.layers.RandomFlip("horizontal")])
    with pytest.raises(ZooError, match=r"^augment\.0\.dtype: Keras makes no RandomFlip with"):
        override(flipped, ["augment.0.dtype.class_name=x"])


def test_one_of_several_is_named_by_its_place(recipe):
    grids = [callbacks.SampleGrid(), callbacks.SampleGrid(n=4)]
    twice = zoo.Recipe(recipe.model, recipe.dataset, recipe.optimizers, epochs=1, callbacks=grids)
    with pytest.raises(ZooError, match="has SampleGrid at places 0, 1: name one by its place"):
        override(twice, ["callbacks.SampleGrid.every=2"])
    changed = override(twice, ["callbacks.1.every=2"])
    assert [grid.every for grid in changed.callbacks] == [1, 2]
