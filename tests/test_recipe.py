"""Recipes: what they hold, and every way in which a file can fail to be one."""

from __future__ import annotations

import dataclasses
import re
import sys

import keras
import pytest

import zoo
from zoo import callbacks, datasets, metrics
from zoo.config import recipe as recipes
from zoo.errors import RunFailed, ZooError

pytestmark = pytest.mark.backend_free


SOURCE = """
import zoo
from zoo import datasets

recipe = zoo.Recipe(
    model=zoo.model("vae", latent_dim=2, units=(8,)),
    dataset=datasets.Digits(),
    optimizers={"autoencoder": "adam"},
    epochs=1,
)
"""


@pytest.fixture
def load(tmp_path):
    def load(text, name="mine.py", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return recipes.load(path)

    return load


def made(**changes):
    settings = {
        "model": zoo.model("vae"),
        "dataset": datasets.Digits(),
        "optimizers": {"autoencoder": keras.optimizers.Adam(1e-3)},
        "epochs": 2,
    }
    return zoo.Recipe(**(settings | changes))


def test_a_recipe_with_its_defaults():
    recipe = made()
    assert recipe.seed == 0 and recipe.ema is None and recipe.precision == "float32"
    assert recipe.callbacks == [] and recipe.weights == {}
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.epochs = 3


def test_numbers_and_lists_are_converted():
    recipe = made(ema=0, callbacks=(callbacks.SampleGrid(),))
    assert type(recipe.ema) is float
    assert isinstance(recipe.callbacks, list)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "vae"}, r"recipe\.model takes Model, not 'vae' \(str\)"),
        ({"dataset": datasets.MNIST}, r"dataset takes Dataset, not the class MNIST: write MNIST\("),
        ({"optimizers": keras.optimizers.Adam()}, r"recipe\.optimizers takes a dict, not .*\(Adam"),
        ({"optimizers": {}}, r"optimizers: none for player 'autoencoder'"),
        (
            {"optimizers": {"autoencoder": "adam", "autoencoders": "adam"}},
            r"optimizers: unknown player 'autoencoders'; did you mean 'autoencoder'\?",
        ),
        ({"epochs": 0}, "epochs is an integer, at least 1; got 0"),
        ({"epochs": 1.5}, r"epochs takes int, not 1\.5"),
        ({"epochs": True}, "epochs takes int"),
        ({"seed": "0"}, "seed takes int"),
        ({"weights": {"autoencoder": 3}}, r"recipe\.weights\['autoencoder'\] takes a dict, not 3"),
        ({"networks": {"encoder": 3}}, r"recipe\.networks\['encoder'\] takes a function, not 3"),
        ({"callbacks": callbacks.SampleGrid()}, "callbacks takes a list"),
        (
            {"callbacks": [callbacks.SampleGrid]},
            r"callbacks\[0\] takes Callback, not the class SampleGrid: write SampleGrid\(\.\.\.\)",
        ),
        ({"metrics": [metrics.ELBO(), "elbo"]}, r"metrics\[1\] takes Metric, not 'elbo'"),
        ({"ema": 1.0}, r"ema is a momentum in \[0, 1\), not 1\.0"),
        ({"ema": "0.9"}, "ema takes float or None"),
        (
            {"precision": "mixed_float61"},
            r"takes one of 'float32', .* did you mean 'mixed_float16'\?",
        ),
    ],
)
def test_wrong_values_are_refused(changes, message):
    with pytest.raises(ZooError, match=message):
        made(**changes)


def test_a_file_is_run_and_gives_its_recipe(load):
    recipe = load(SOURCE)
    assert recipe.model == zoo.model("vae", latent_dim=2, units=(8,))
    assert recipe.epochs == 1


def test_a_file_has_no_name_that_an_import_could_have(load):
    load(SOURCE, name="json.py")
    assert not sys.modules["json"].__name__.startswith("<")
    assert "<recipe json>" in sys.modules


def test_a_file_knows_where_it_is(load):
    load(SOURCE + "assert __file__.endswith('mine.py')")


def test_a_file_may_declare_its_encoding(load):
    load("# -*- coding: latin-1 -*-\n# für\n" + SOURCE, encoding="latin-1")


def test_a_file_may_define_a_model_with_annotations_as_text(load):
    recipe = load(
        "from __future__ import annotations\n"
        "import dataclasses, zoo, zoo.plugin\n"
        "from typing import Literal\n"
        + SOURCE.replace(
            "recipe =",
            "@dataclasses.dataclass(frozen=True)\n"
            "class Mine(zoo.Model):\n"
            "    kind: Literal['a', 'b'] = 'a'\n"
            "    def players(self): return {'autoencoder': ()}\n"
            "recipe =",
        ).replace('zoo.model("vae", latent_dim=2, units=(8,))', "Mine().replace(kind='b')")
    )
    assert recipe.model.kind == "b"
    with pytest.raises(ZooError, match=r"Mine\.kind takes one of 'a', 'b', not 'c'"):
        recipe.model.replace(kind="c")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def broken(:\n", r"mine\.py, line 1: not Python: "),
        ("x = '\0'", r"mine\.py.*: not Python: "),
        (b"\x89PNG\r\n\xff\xfe", r"mine\.py.*: not Python: "),
        ("", r"mine\.py defines no recipe: end it with recipe = zoo\.Recipe\(\.\.\.\)$"),
        (SOURCE.replace("recipe =", "vae_recipe ="), "defines no recipe: name 'vae_recipe' so$"),
        ("recipe = {}", "recipe is of type dict, and should be a zoo.Recipe"),
        ("recipe = None", "recipe is of type NoneType"),
        ("\n1 / 0", r"mine\.py, line 2: ZeroDivisionError: division by zero"),
        ("def f():\n    1 / 0\nf()", r"mine\.py, line 2: ZeroDivisionError"),
        ("import nothing_of_that_name", r"line 1: ModuleNotFoundError: .*nothing_of_that_name"),
        ("import sys; sys.exit(0)", r"line 1: SystemExit: 0"),
        ("import zoo\nzoo.Modle", r"line 2: AttributeError: module 'zoo' has no attribute 'Modle'"),
        ("import zoo\nzoo.model('va')", r"line 2: unknown model 'va'; did you mean 'vae'\?"),
        (
            "import zoo\nzoo.model('vae', latent=3)",
            r"line 2: model 'vae': unknown setting 'latent'.*latent_dim",
        ),
        (SOURCE.replace("epochs=1", "epoch=1"), r"line 5: TypeError: .*'epoch'.*mean 'epochs'\?"),
        (
            SOURCE.replace("Digits()", "Digits(\n        batchsize=1)"),
            r"line \d: TypeError: .*'batchsize'.*mean 'batch_size'\?",
        ),
        (SOURCE.replace("epochs=1,", ""), r"line 5: TypeError: .*missing.*'epochs'"),
        (SOURCE.replace("{", "{'generator': 'adam', "), r"line 5: .*unknown player 'generator'"),
        (SOURCE.replace('"autoencoder": "adam"', ""), r"line 5: .*none for player 'autoencoder'"),
    ],
)
def test_what_is_no_recipe_is_refused_with_one_message(load, text, message):
    with pytest.raises(ZooError, match=message) as raised:
        load(text)
    assert raised.value.exit_code == 2
    assert len(re.findall(r"mine\.py", str(raised.value))) == 1


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ZooError, match=r"cannot read the recipe .*none\.py: No such file"):
        recipes.load(tmp_path / "none.py")
    with pytest.raises(ZooError, match="cannot read the recipe"):
        recipes.load(tmp_path)


def test_an_error_raised_in_a_recipe_keeps_its_kind(load):
    with pytest.raises(RunFailed, match=r"mine\.py, line 2: too bad"):
        load("import zoo\nraise zoo.RunFailed('too bad')")


def test_an_interrupt_in_a_recipe_is_one(load):
    with pytest.raises(KeyboardInterrupt):
        load("raise KeyboardInterrupt")
