"""The checks themselves: sound plugins pass all, and each broken one fails its own alone."""

from __future__ import annotations

import importlib
from pathlib import Path

import keras
import pytest

from tests.broken import first_steps_are_the_same_everywhere as local
from tests.broken.sound import Numbers, Share, Small
from tests.test_views import Showing
from zoo.plugin.model import DataSpec
from zoo.testing import Case, run_checks
from zoo.testing.checks import CHECKS

NAMES = [check.name for check in CHECKS]
ELSEWHERE = {  # PyTorch compiles nothing, and JAX traces losses in zoo.build
    ("training_steps_compile", "jax"): ["builds"],
    ("training_steps_compile", "torch"): [],
    ("abilities_compile", "torch"): [],
}


def failed(plugin, only=()):
    return {result.check: result.reason for result in run_checks(plugin, only=only) if result.bad}


@pytest.mark.parametrize(
    "plugin",
    [
        Case(Small(), DataSpec((8, 8, 1), 3), first_steps=local.FIRST_STEPS),
        Case(Small(), DataSpec((2,), 3)),
        Case(Showing(), DataSpec((8, 8, 1), 3)),
        Numbers(),
        Share(),
    ],
    ids=["model", "model of points", "views", "dataset", "metric"],
)
def test_sound_plugins_pass(plugin):
    assert failed(plugin) == {}


@pytest.mark.backend_free
def test_every_check_has_its_broken_plugin():
    files = {path.stem for path in (Path(__file__).parent / "broken").glob("[!_]*.py")}
    assert files - {"sound"} == set(NAMES)
    assert len(NAMES) == len(set(NAMES)) and all(check.about for check in CHECKS)


@pytest.mark.parametrize("name", NAMES)
def test_a_broken_plugin_is_rejected_by_its_check_alone(name, full):
    plugin = importlib.import_module(f"tests.broken.{name}").plugin
    backend = keras.backend.backend()
    rejecting = ELSEWHERE.get((name, backend), [name])
    # that no other check rejects it is told on PyTorch, where all of them take a second, if whole
    every = full and backend == "torch"
    found = failed(plugin, only=() if every else rejecting or [name])
    assert list(found) == rejecting
    assert all(found.values())
