from __future__ import annotations

import json
import os
import re
import sys
from datetime import UTC, datetime, timedelta

import pytest

from tests.manifests import DATA, fields
from zoo import cli
from zoo.cli.list import SECTIONS
from zoo.plugin.about import about
from zoo.runs import folders

pytestmark = pytest.mark.backend_free


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ZOO_RUNS", raising=False)


def listed(capsys, *args) -> str:
    assert cli.main(["list", *args]) == 0
    return capsys.readouterr().out


def test_without_a_section_all_are_listed(capsys):
    out = listed(capsys)
    headings = [line.split()[0] for line in out.splitlines() if line and line[0] != " "]
    assert headings == [name.capitalize() for name in SECTIONS]


@pytest.mark.parametrize("section", SECTIONS)
def test_one_section(capsys, section):
    assert listed(capsys, section).startswith(section.capitalize())
    assert list(json.loads(listed(capsys, section, "--json"))) == [section]


def test_a_wrong_section_is_a_usage_error(capsys):
    assert cli.main(["list", "model"]) == 2
    assert "models" in capsys.readouterr().err


def test_plugins_with_their_distributions_in_aligned_columns(install, capsys):
    install("toys", {"zoo.models": {"toy2": "no_module:A", "toy-with-a-long-name10": "b:B"}})
    install("more", {"zoo.models": {"toy10": "no_module:A"}}, version="3.2")
    lines = [line for line in listed(capsys, "models").splitlines() if "toy" in line]
    assert [line.split() for line in lines] == [
        ["toy2", "from", "toys", "1.0"],
        ["toy10", "from", "more", "3.2"],
        ["toy-with-a-long-name10", "from", "toys", "1.0"],
    ]
    assert len({line.index("from") for line in lines}) == 1


@pytest.mark.parametrize("section", ["models", "datasets", "metrics"])
def test_each_of_the_zoo_s_own_says_what_it_is(capsys, section):
    rows = json.loads(listed(capsys, section, "--json"))[section]
    assert all(row["about"] and "``" not in row["about"] for row in rows)
    lines = listed(capsys, section).splitlines()[1:]
    assert all(row["about"] in line for row, line in zip(rows, lines, strict=True))


@pytest.mark.parametrize(
    ("files", "target", "expected"),
    [
        ({"p/__init__.py": 'class A:\n    """Says ``it``.\n\n    More."""'}, "p:A", "Says it."),
        ({"p/__init__.py": '"""Of the module."""\nclass A: ...'}, "p:A", "Of the module."),
        ({"p/__init__.py": "boom", "p/q.py": 'class A:\n    "Deep."'}, "p.q:A", "Deep."),
        (
            {
                "p/__init__.py": "if TYPE_CHECKING:\n    from p.q import B as A",
                "p/q/__init__.py": "from ..r import B",
                "p/r.py": 'class B:\n    "Led there."',
            },
            "p:A",
            "Led there.",
        ),
        (
            {"p/__init__.py": "", "p/q.py": "from .r import A", "p/r.py": 'class A:\n    "Near."'},
            "p.q:A",
            "Near.",
        ),
        (
            {"p/__init__.py": 'class A(B):\n    x = 1\n    def f(): "Not this."\n'},
            "p:A",
            "",
        ),
        (
            {"p/__init__.py": 'class A:\n    """What it is.\n\n    @ home\n    """'},
            "p:A",
            "What it is.",
        ),
        ({"p/__init__.py": '"""First.\nfrom here on.\n"""\nclass A: ...'}, "p:A", "First."),
        ({"p/__init__.py": "from p import A"}, "p:A", ""),  # in a circle
        ({"p/__init__.py": "("}, "p:A", ""),
        ({"p/__init__.py": "A = 1"}, "p:A", ""),
        ({}, "p:A", ""),
    ],
)
def test_what_a_plugin_is_is_read_without_importing_it(
    tmp_path, monkeypatch, files, target, expected
):
    package = f"about_{abs(hash(str(files)))}"
    for name, text in files.items():
        path = tmp_path / package / name.removeprefix("p/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(re.sub(r"\bfrom p\b", f"from {package}", text))
    monkeypatch.syspath_prepend(tmp_path)
    assert about(target.replace("p", package, 1)) == expected
    assert package not in sys.modules


def test_rivals_are_shown_with_what_to_type(install, capsys):
    install("toys", {"zoo.metrics": {"toy": "a:A"}})
    install("more", {"zoo.metrics": {"toy": "a:A"}})
    lines = [line.split() for line in listed(capsys, "metrics").splitlines()]
    assert ["more/toy", "from", "more", "1.0", "(also", "claimed", "by", "toys)"] in lines
    assert ["toys/toy", "from", "toys", "1.0", "(also", "claimed", "by", "more)"] in lines
    rows = json.loads(listed(capsys, "metrics", "--json"))["metrics"]
    assert {"more/toy", "toys/toy"} <= {row["type"] for row in rows}


def test_recipes_say_what_they_are(capsys):
    rows = json.loads(listed(capsys, "recipes", "--json"))["recipes"]
    assert "vae_mnist" in [row["type"] for row in rows]
    assert all(row["about"] for row in rows)


def test_runs_tell_their_state(capsys):
    described = fields(epochs=20, backend="torch", data={**DATA, "name": "mnist"})
    run = folders.create(folders.root(), "vae_mnist", **described)
    run.update(status="interrupted", epoch=3)
    line = listed(capsys, "runs").splitlines()[1]
    age = ["0", "min", "ago"]
    assert line.split() == [run.name, *age, "interrupted", "3/20", "epochs", "mnist", "torch"]
    row = json.loads(listed(capsys, "runs", "--json"))["runs"][0]
    assert row["type"] == run.name and row["status"] == "interrupted"


def test_a_run_shows_a_figure_and_its_age(capsys):
    run = folders.create(folders.root(), "r", **fields())
    metrics = {"elbo": {"value": -95.91, "unit": "nats"}, "mse": {"value": 1, "unit": ""}}
    (run.path / "results.json").write_text(json.dumps({"metrics": metrics}))
    for minutes, age in [(1, "1 min"), (119, "119 min"), (175, "2 h"), (60 * 24 * 3, "3 d")]:
        then = datetime.now(UTC) - timedelta(minutes=minutes, seconds=1)
        run.update(created=then.isoformat(), status="finished")
        assert f"elbo -95.91 nats  {age} ago" in listed(capsys, "runs")


@pytest.mark.parametrize("content", ["[]", '{"metrics": 3}', '{"metrics": {"elbo": 3}}', "{"])
def test_damaged_results_leave_a_run_without_a_figure(capsys, content):
    run = folders.create(folders.root(), "r", **fields())
    run.update(status="finished")
    (run.path / "results.json").write_text(content)
    assert json.loads(listed(capsys, "runs", "--json"))["runs"][0]["figure"] == ""


@pytest.mark.parametrize("content", ["{", '{"status": "a\\ud800b"}', '{"format": 1}'])
def test_a_damaged_run_leaves_the_others_listed(capsys, content):
    good, bad = (folders.create(folders.root(), "r", **fields()) for _ in range(2))
    (bad.path / "run.json").write_text(content)
    lines = {line.split()[0]: line for line in listed(capsys, "runs").splitlines()[1:]}
    assert lines.keys() == {good.name, bad.name}
    assert "unreadable" in lines[bad.name] and "killed" in lines[good.name]


def test_many_runs_are_listed_whole_only_when_asked_for(capsys, tmp_path):
    for _ in range(12):
        folders.create(tmp_path / "many", "r", **fields())
    assert "and 2 older: zoo list runs" in listed(capsys, "--runs", "many")
    assert listed(capsys, "runs", "--runs", "many").count("killed") == 12


def test_a_narrow_terminal_cuts_lines_and_a_pipe_does_not(install, capsys, monkeypatch):
    install("toys", {"zoo.models": {"t" * 60: "a:A"}})
    assert "t" * 60 in listed(capsys, "models")
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((40, 24)))
    assert max(len(line) for line in listed(capsys, "models").splitlines()[1:]) <= 40
