"""A plugin that crashes, hangs or claims what is not its own costs the others nothing."""

from __future__ import annotations

import json
import os

import pytest

from zoo import cli
from zoo.errors import ZooError
from zoo.plugin import registry

pytestmark = pytest.mark.backend_free

TOY = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Toy:
    size: int = 3
"""
BAD = {
    "crashing": ("import os; os.kill(os.getpid(), 11)", "crashed with SIGSEGV"),
    "leaving": ("import os; os._exit(3)", "ends the process: ended with exit status 3"),
    "hanging": ("import time; time.sleep(60)", "hangs: no answer within 3 s"),
    "raising": ("1 / 0", "does not import: ZeroDivisionError: division by zero"),
}


@pytest.fixture
def path(install, monkeypatch):
    """Install distributions that child processes see too."""

    def add(*args, **kwargs):
        site = install(*args, **kwargs)
        known = os.environ.get("PYTHONPATH", "")
        monkeypatch.setenv("PYTHONPATH", f"{site}{os.pathsep}{known}")

    return add


@pytest.mark.slow
def test_broken_plugins_are_listed_with_the_reason_and_the_others_are_not(path, capsys):
    modules = {f"{name}_module": source for name, (source, _) in BAD.items()}
    points = {name: f"{name}_module:Toy" for name in BAD}
    path(
        "bad",
        {"zoo.models": {**points, "sound": "sound_module:Toy"}},
        {**modules, "sound_module": TOY},
    )
    path("future", {"zoo.models": {"next": "m:A"}, "zoo.plugin_api": {"7": "zoo.plugin"}})
    assert cli.main(["list", "models", "--broken", "--json", "--timeout", "3"]) == 0
    shown = json.loads(capsys.readouterr().out)["broken"]
    rows = {row["name"]: row["why"] for row in shown}
    assert set(rows) == {*BAD, "next"}
    for name, (_, why) in BAD.items():
        assert why in rows[name]
    assert "written for version 7 of the plugin API, and this zoo has version 2" in rows["next"]


def test_a_name_of_the_zoos_own_stays_its_own(path):
    path("thief", {"zoo.models": {"vae": "thief_module:Toy"}}, {"thief_module": TOY})
    assert registry.find("models", "vae").distribution == "keras-zoo"
    assert registry.find("models", "thief/vae").target == "thief_module:Toy"
    typed = {record.typed for record in registry.records("models") if record.name == "vae"}
    assert typed == {"vae", "thief/vae"}


def test_another_version_of_the_plugin_api_is_refused_before_it_is_imported(path):
    path(
        "future",
        {"zoo.models": {"next": "future_module:Toy"}, "zoo.plugin_api": {"3": "zoo.plugin"}},
        {"future_module": "raise AssertionError('imported')"},
    )
    with pytest.raises(ZooError, match=r"future 1\.0 is written for version 3 of the plugin API"):
        registry.load("models", "next")


def test_a_plugin_for_the_first_plugin_api_is_told_what_to_change(path):
    path("old", {"zoo.models": {"o": "old_module:Toy"}, "zoo.plugin_api": {"1": "zoo.plugin"}})
    with pytest.raises(ZooError, match=r"version 1 of .* latent\(nets\) .* 2 = \"zoo.plugin\""):
        registry.load("models", "o")


def test_several_versions_of_the_plugin_api_may_be_named(path):
    path(
        "both",
        {
            "zoo.models": {"toy": "both_module:Toy"},
            "zoo.plugin_api": {"2": "zoo.plugin", "3": "zoo.plugin"},
        },
        {"both_module": TOY},
    )
    assert registry.create("models", "toy").size == 3


def test_checking_a_plugin_that_crashes_says_so(path, capsys):
    path("bad", {"zoo.models": {"boom": "boom_module:Toy"}}, {"boom_module": BAD["crashing"][0]})
    assert cli.main(["check", "boom"]) == 1
    assert "runs: crashed with SIGSEGV" in capsys.readouterr().out
