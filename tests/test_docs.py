"""What README and docs show works as it stands."""

import ast
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


def prose(page, blocks_only=False):
    """A page without its code, or without blocks of it alone."""
    code = r"^```.*?^```" if blocks_only else r"^```.*?^```|`[^`\n]*`(?!\])"
    return re.sub(code, "", page.read_text(encoding="utf-8"), flags=re.M | re.S)


@functools.cache
def anchors(page):
    """The anchors of a page's headings."""
    return {reference.anchor(h) for h in re.findall("^#+ (.*)", page.read_text("utf-8"), re.M)}


@functools.cache
def commands():
    """Every ``zoo`` command that a page shows, and whether it stands in a sentence.

    In a block, what follows two spaces is a remark.
    """
    found = {}
    for page in PAGES:
        lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
        spans = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", prose(page, blocks_only=True))
        shown = [(part, False) for line in lines for part in re.split(r"\s{2,}|&&", line.strip())]
        for part, mentioned in [*shown, *((span, True) for span in spans)]:
            if re.match(r"([A-Z_]+=\S+ )?(\.venv/bin/)?zoo -?-?[a-z]+", part.strip()):
                words = [w for w in shlex.split(part, comments=True) if not re.match("[A-Z_]+=", w)]
                if not any(map(PLACEHOLDER, words)):
                    line = " ".join(map(shlex.quote, ended(words[1:])))
                    found[line] = found.get(line, True) and mentioned
    return found


PLACEHOLDER = re.compile(r".*\.\.\.|[A-Z]{3,}|key=.*|.*=[A-Z]+$|[A-Z]$").match


def ended(words):
    """The words of a command before a redirection or a pipe."""
    return words[: next((i for i, w in enumerate(words) if w[0] in ">|;"), len(words))]


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


def ran(page, tmp_path, small=()):
    """What the Python of a page prints, in a folder of its own; ``small``: what to replace."""
    code = "\n".join(blocks(page, "python"))
    for shown, taken in small:
        assert shown in code
        code = code.replace(shown, taken)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "KERAS_BACKEND": backends.installed()[0], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.backend_free  # PyTorch would take a minute
@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        ("tutorials/loop.md", 0.03),
        pytest.param("tutorials/first-model.md", 3.0, marks=pytest.mark.slow),
    ],
)
def test_the_models_of_tutorials_give_what_is_shown(name, tolerance, tmp_path):
    page = ROOT / "docs" / name
    shown, found = "".join(blocks(page, "text")).split(), ran(page, tmp_path).split()
    numbers = [[float(w.rstrip(":,")) for w in words if w[0].isdigit()] for words in (shown, found)]
    assert [w for w in shown if not w[0].isdigit()] == [w for w in found if not w[0].isdigit()]
    np.testing.assert_allclose(*numbers, atol=tolerance)


@pytest.mark.slow
@pytest.mark.backend_free
def test_the_gan_of_its_tutorial_trains(tmp_path):
    small = [("datasets.MNIST()", "datasets.Digits(size=28)"), ("(1, 4, 10)", "(1, 1)")]
    said = ran(ROOT / "docs/tutorials/first-gan.md", tmp_path, small)
    assert [line.split()[0] for line in said.splitlines()] == [
        "discriminator/real",
        "discriminator/fake",
        "generator/adversarial",
    ]
    assert (tmp_path / "gan-1.png").exists()


@pytest.mark.backend_free
@pytest.mark.parametrize("line", commands())
def test_each_command_parses_what_is_shown(line):
    """By the command's own parser: options, their values and the number of arguments."""
    import click

    from zoo.cli import zoo

    context, words = click.Context(zoo, info_name="zoo"), shlex.split(line)
    if words[0].startswith("-"):
        assert words in (["--help"], ["--version"])
        return
    command = zoo
    while isinstance(command, click.Group) and words:
        name = words.pop(0)
        command = command.get_command(context, name)
        assert command is not None, f"no command {name}"
    if {"-h", "--help"} & set(words):
        return
    if commands()[line] and (not words or words[-1].startswith("--")):
        words = [w for w in words if w.startswith("--")]  # as in "see `zoo sample --label`"
        assert set(words) <= {name for option in command.params for name in option.opts}
        return
    for place, word in enumerate(words[:-1]):
        if word == "--recipe":
            words[place + 1] = str(ROOT / "recipes/vae_mnist.py")  # the reader's own file
    try:
        command.make_context(name, words)
    except click.MissingParameter:
        if not commands()[line]:
            raise


RUNS = [line for line in commands() if line.startswith("run ") and "--" not in line.split()[1]]
OWN = ("recipes/realnvp.py", "my_vae.py", "recipe.py")  # what the reader of a page makes


@pytest.mark.backend_free
@pytest.mark.parametrize("line", [line for line in RUNS if not any(own in line for own in OWN)])
def test_every_run_command_names_a_recipe_and_settings_that_exist(line):
    from zoo.cli.run import command
    from zoo.config import overrides, recipe, recipe_files

    given = command.make_context("run", shlex.split(line)[1:]).params
    assert overrides.override(recipe.load(recipe_files.find(given["recipe"])), given["changes"])


@pytest.mark.backend_free
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", prose(page))
    links += [(to, "") for to in re.findall(r'<img src="([^"]*)"', prose(page))]
    assert [to for to, _ in links if not (page.parent / to).exists()] == []
    anchored = [(page.parent / to if to else page, anchor) for to, anchor in links if anchor]
    assert [(to, anchor) for to, anchor in anchored if anchor not in anchors(to)] == []


@pytest.mark.backend_free
@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if "api" not in page.parts],  # signatures are no statements
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_python_that_is_shown_is_python(page):
    for block in blocks(page, "python"):
        ast.parse(block)


@pytest.mark.backend_free
def test_every_picture_is_shown():
    shown = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    pictures = [p for p in (ROOT / "docs").rglob("*.*") if p.suffix in (".png", ".gif", ".svg")]
    assert [picture.name for picture in pictures if picture.name not in shown] == []


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
def test_the_dataset_of_the_page_on_sources():
    [code] = [c for c in blocks(ROOT / "docs/how-to/several-sources.md", "python") if "class" in c]
    from zoo.datasets import Access, Batches

    scope = {"__name__": "shown"}
    exec(code, scope)
    data = scope["DigitsAndMasks"]().load(Access(say=print))
    batch, labels = Batches(data.train, 16, seed=0, shuffle=True)[0]
    np.testing.assert_array_equal(batch["mask"], batch["x"] > 127)
    assert len(labels) == 16 and data.spec.sources["mask"] == (8, 8, 1)


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
