"""What README and docs show works as it stands."""

import functools
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests import reference
from zoo.runtime import backends

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page, language):
    """The code blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


def prose(page):
    """A page without its code."""
    return re.sub(
        r"^```.*?^```|`[^`\n]*`(?!\])", "", page.read_text(encoding="utf-8"), flags=re.M | re.S
    )


@functools.cache
def anchors(page):
    """The anchors of a page's headings."""
    return {reference.anchor(h) for h in re.findall("^#+ (.*)", page.read_text("utf-8"), re.M)}


def commands():
    """Every ``zoo`` command that a page shows, without its comment."""
    lines = [line for page in PAGES for block in blocks(page, "sh") for line in block.splitlines()]
    return [line.split("#")[0].strip() for line in lines if re.match(r"(\w+=\S+ )?zoo ", line)]


def pictures(n=8):
    return np.random.default_rng(0).integers(0, 256, (n, 28, 28, 1), dtype=np.uint8)


def test_the_model_of_the_readme_trains_and_samples():
    scope = {}
    exec(blocks(ROOT / "README.md", "python")[0], scope)
    gan = scope["gan"]
    gan.fit(pictures(), batch_size=4, verbose=0)
    assert gan.sample(3).shape == (3, 28, 28, 1)


def test_building_without_the_command_line_as_the_docs_show():
    shown = next(
        b for b in blocks(ROOT / "docs/how-to/write-a-model.md", "python") if "zoo.build(" in b
    )
    import keras

    import zoo

    small = shown.replace("latent_dim=2", "latent_dim=2, units=(8,)")
    assert small != shown
    scope = {"zoo": zoo, "keras": keras, "pictures": pictures()}
    exec(small, scope)
    assert len(scope["model"].history.epoch) == 5


def test_the_gradient_penalty_of_the_docs():
    from types import SimpleNamespace

    from keras import ops

    import zoo

    shown = next(
        b for b in blocks(ROOT / "docs/how-to/write-a-model.md", "python") if "zoo.gradient(" in b
    )
    scope = {
        "zoo": zoo,
        "ops": ops,
        "n": 2,
        "rng": zoo.random.Generator(0, "test"),
        "real": ops.ones((2, 4, 4, 1)),
        "fake": ops.zeros((2, 4, 4, 1)),
        # slope 3 everywhere on 16 pixels: norm 12, penalty 121
        "nets": SimpleNamespace(critic=lambda x: 3.0 * ops.sum(x, axis=(1, 2, 3))),
    }
    exec(shown, scope)
    np.testing.assert_allclose(ops.convert_to_numpy(scope["penalty"]), [121.0, 121.0], rtol=1e-5)


@pytest.mark.backend_free  # PyTorch would take a minute
def test_the_model_with_a_loop_of_the_docs():
    page = ROOT / "docs/tutorials/loop.md"
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks(page, "python"))],
        env={**os.environ, "KERAS_BACKEND": backends.installed()[0]},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    shown, found = "".join(blocks(page, "text")).split(), done.stdout.split()
    numbers = [[float(w.rstrip(":,")) for w in words if w[0].isdigit()] for words in (shown, found)]
    assert [w for w in shown if not w[0].isdigit()] == [w for w in found if not w[0].isdigit()]
    np.testing.assert_allclose(*numbers, atol=0.03)


@pytest.mark.backend_free
@pytest.mark.parametrize(
    "line",  # those of the tutorial's own recipe are run by test_tutorial.py
    [line for line in commands() if " run " in line and "recipes/realnvp.py" not in line],
)
def test_every_run_command_names_a_recipe_and_settings_that_exist(line):
    from zoo.cli.run import command
    from zoo.config import overrides, recipe, recipe_files

    words = [w for w in shlex.split(line) if not w.startswith(("KERAS_BACKEND=", "ZOO_"))]
    given = command.make_context("run", words[2:]).params
    assert overrides.override(recipe.load(recipe_files.find(given["recipe"])), given["changes"])


@pytest.mark.backend_free
def test_every_command_shown_exists():
    from zoo.cli import COMMANDS

    assert {shlex.split(line.partition("zoo ")[2])[0] for line in commands()} <= set(COMMANDS)


@pytest.mark.backend_free
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", prose(page))
    assert [to for to, _ in links if not (page.parent / to).exists()] == []
    anchored = [(page.parent / to if to else page, anchor) for to, anchor in links if anchor]
    assert [(to, anchor) for to, anchor in anchored if anchor not in anchors(to)] == []


@pytest.mark.backend_free
def test_the_test_file_of_the_plugins_page(tmp_path):
    shown = blocks(ROOT / "docs/how-to/plugins.md", "python")
    assert len(shown) == 1
    (tmp_path / "test_shown.py").write_text(shown[0])
    arguments = [str(tmp_path), "-q", "-p", "no:cacheprovider", "--collect-only"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert "test_it_keeps_to[Small-builds]" in done.stdout
    assert "test_it_keeps_to[wide-builds]" in done.stdout


@pytest.mark.once_in_short
def test_the_feature_space_of_its_page():
    from zoo.testing import run_checks

    made = {"__name__": "shown"}
    exec(blocks(ROOT / "docs/how-to/feature-spaces.md", "python")[0], made)
    results = run_checks(made["Thumbnails"]())
    assert [result for result in results if result.bad] == []
    assert "features_are_vectors" in [r.check for r in results if r.status == "passed"]


def test_the_page_on_python(tmp_path, monkeypatch, capsys):
    """Its code blocks, one after the other; what they show is what it says."""
    monkeypatch.chdir(tmp_path)
    page, scope = ROOT / "docs/how-to/python.md", {}
    shown = blocks(page, "text")
    for code in blocks(page, "python"):
        exec(code, scope)
        if code.rstrip().endswith("\nmodel"):
            assert f"{scope['model']}\n" == shown[0]
        if "summary()" in code:
            assert capsys.readouterr().out == shown[1]
    assert scope["codes"].shape == (16, 16) and scope["again"].shape == (16, 28, 28, 1)
    np.testing.assert_allclose(scope["near"], scope["again"], atol=1e-6)
    assert (tmp_path / "digits.png").exists() and (tmp_path / "decoder.keras").exists()
    assert scope["classifier"].predict(scope["digits"], verbose=0).shape == (16, 10)
    run = scope["run"]
    assert list(run.history["epoch"]) == [1, 2, 3] and len(run.history["val_loss"]) == 3
    assert run.results["metrics"]["mse"]["value"] > 0
    assert [path.name for path in run.pictures.glob("*.png")]
    assert scope["model"].sample(2).shape == (2, 8, 8, 1)
