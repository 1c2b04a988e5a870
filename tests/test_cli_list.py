from __future__ import annotations

import json
import os

import pytest

from tests.manifests import DATA, fields
from zoo import cli
from zoo.cli.list import SECTIONS
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
        ["toy2", "toys", "1.0"],
        ["toy10", "more", "3.2"],
        ["toy-with-a-long-name10", "toys", "1.0"],
    ]
    assert lines[0].index("toys") == lines[1].index("more") == lines[2].index("toys")


def test_rivals_are_shown_with_what_to_type(install, capsys):
    install("toys", {"zoo.metrics": {"toy": "a:A"}})
    install("more", {"zoo.metrics": {"toy": "a:A"}})
    lines = [line.split() for line in listed(capsys, "metrics").splitlines()]
    assert ["more/toy", "more", "1.0", "also", "claimed", "by", "toys"] in lines
    assert ["toys/toy", "toys", "1.0", "also", "claimed", "by", "more"] in lines
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
    assert line.split() == [run.name, "interrupted", "3/20", "epochs", "torch", "mnist"]
    row = json.loads(listed(capsys, "runs", "--json"))["runs"][0]
    assert row["type"] == run.name and row["status"] == "interrupted"


@pytest.mark.parametrize("content", ["{", '{"status": "a\\ud800b"}', '{"format": 1}'])
def test_a_damaged_run_leaves_the_others_listed(capsys, content):
    good, bad = (folders.create(folders.root(), "r", **fields()) for _ in range(2))
    (bad.path / "run.json").write_text(content)
    lines = [line.split()[:2] for line in listed(capsys, "runs").splitlines()[1:]]
    assert sorted(lines) == sorted([[bad.name, "unreadable"], [good.name, "killed"]])


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
