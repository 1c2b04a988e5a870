"""``zoo new``: what it writes works as it is, and it writes over nothing."""

from __future__ import annotations

import os
import re
import tomllib

import pytest

from zoo import cli
from zoo.plugin import scaffold

pytestmark = pytest.mark.backend_free


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def refused(capsys, *args):
    assert cli.main(["new", *args]) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    "kind",
    [pytest.param(k, marks=[] if k == "model" else pytest.mark.slow) for k in scaffold.KINDS],
)
def test_a_new_plugin_passes_its_checks_and_its_recipe_is_right(
    tmp_path, install, monkeypatch, capsys, kind
):
    assert cli.main(["new", "plugin", "spark", "--kind", kind]) == 0
    folder = tmp_path / "spark"
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    site = install(project["name"], project["entry-points"], version=project["version"])
    paths = [str(folder), str(site), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.syspath_prepend(folder)
    assert cli.main(["check", "spark"]) == 0, capsys.readouterr().out
    assert cli.main(["run", str(folder / "recipes" / "spark.py"), "--dry-run"]) == 0
    test = (folder / "tests" / "test_spark.py").read_text()
    assert len(test.splitlines()) < 15 and "from zoo_spark import Spark" in test


def test_a_plugin_that_starts_from_another(tmp_path):
    assert cli.main(["new", "plugin", "my_gan", "--from", "gan", "--folder", "here"]) == 0
    code = (tmp_path / "here" / "zoo_my_gan" / "__init__.py").read_text()
    assert "class MyGan(Game):" in code and "class Game(zoo.Model):" in code
    recipe = (tmp_path / "here" / "recipes" / "my_gan.py").read_text()
    assert '"discriminator": keras.optimizers.Adam(1e-3), "generator":' in recipe


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["vae"], "there is a model 'vae' already, of keras-zoo"),
        (["My-GAN"], "'My-GAN' cannot name a plugin.*; did you mean 'my_gan'?"),
        (["class"], "'class' cannot name a plugin"),
        (["spark", "--from", "vea"], "unknown model 'vea'; did you mean 'vae'"),
        (["classifier", "--kind", "metric"], "there is a package zoo_classifier already"),
        (["spark", "--kind", "modle"], "modle"),
        (["there"], "there exists already: choose another name"),
    ],
)
def test_names_that_cannot_be_are_refused_with_the_reason(tmp_path, capsys, args, said):
    (tmp_path / "there").mkdir()
    assert re.search(said, refused(capsys, "plugin", *args))
    assert os.listdir(tmp_path) == ["there"]


def test_a_recipe_is_copied_and_its_commands_follow(tmp_path):
    assert cli.main(["new", "recipe", "mine", "--from", "vae_mnist"]) == 0
    text = (tmp_path / "mine.py").read_text()
    assert "zoo run mine.py epochs=3" in text and "vae_mnist" not in text
    assert "recipe = zoo.Recipe(" in text


def test_recipes_that_cannot_be_are_refused_with_the_reason(tmp_path, capsys):
    (tmp_path / "mine.py").write_text("mine")
    assert "mine.py exists already" in refused(capsys, "recipe", "mine", "--from", "vae_mnist")
    assert (tmp_path / "mine.py").read_text() == "mine"
    assert "did you mean 'vae_mnist'" in refused(capsys, "recipe", "new", "--from", "vae_mnits")
    assert "cannot name a recipe" in refused(capsys, "recipe", "a b", "--from", "vae_mnist")
