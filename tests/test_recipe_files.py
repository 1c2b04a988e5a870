from __future__ import annotations

import pytest

from zoo.config import recipe_files
from zoo.errors import ZooError

pytestmark = pytest.mark.backend_free


def test_shipped_recipes_are_found_by_name():
    shipped = recipe_files.shipped()
    assert "vae_mnist" in shipped
    assert list(shipped) == sorted(shipped)
    assert recipe_files.find("vae_mnist") == shipped["vae_mnist"]


def test_recipes_in_a_folder_are_found_by_its_name_and_theirs():
    name = "published/vae_mnist_likelihood"
    path = recipe_files.find(name)
    assert path == recipe_files.shipped()[name]
    assert path.parts[-2:] == ("published", "vae_mnist_likelihood.py")


def test_a_path_is_found_as_it_is(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("")
    assert recipe_files.find(str(path)) == path


def test_a_file_beats_a_shipped_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vae_mnist").write_text("")
    assert recipe_files.find("vae_mnist").resolve() == tmp_path / "vae_mnist"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("vae_mnst", "did you mean 'vae_mnist'"),
        ("recipes/vae_mnist.py", "did you mean '(recipes/)?vae_mnist"),
        ("vae_mnist_likelihood", "did you mean 'published/vae_mnist_likelihood'"),
        ("published/vae_mnst_likelihood", "did you mean 'published/vae_mnist_likelihood'"),
        ("vae_mnist.py", "did you mean 'vae_mnist'"),
        ("vae", "'vae' is a model, and not a recipe. .* Type zoo run vae_mnist"),
        ("mnist", "is a dataset, and not a recipe. Recipes with it: .*vae_mnist"),
        ("linear_probe", "is a metric, and not a recipe"),
        ("keras-zoo/gan", "is a model, and not a recipe. .* Type zoo run gan_mnist"),
        ("latest", "is a run, and not a recipe. To continue it: zoo resume latest"),
        ("qqqqq", r"no recipe 'qqqqq'\. By name there are: .*vae_mnist"),
        (".", "is a folder"),
        ("", "is a folder"),
    ],
)
def test_a_wrong_name_suggests_the_nearest(tmp_path, monkeypatch, text, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ZooError, match=message):
        recipe_files.find(text)


def test_a_wrong_path_suggests_a_file_beside_it(tmp_path):
    (tmp_path / "flowers.py").write_text("")
    with pytest.raises(ZooError, match=r"did you mean '.*flowers\.py'"):
        recipe_files.find(str(tmp_path / "flower.py"))
    with pytest.raises(ZooError, match=rf"peony\.py'\. In {tmp_path} there are: flowers\.py\."):
        recipe_files.find(str(tmp_path / "peony.py"))


def test_a_wrong_folder_suggests_the_file_in_another(tmp_path, monkeypatch):
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "flowers.py").write_text("")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ZooError, match=r"did you mean 'recipes/flowers\.py'\? By name there are"):
        recipe_files.find("recipe/flowers.py")
