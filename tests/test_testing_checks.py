"""The checks themselves: sound plugins pass all, and each broken one fails its own alone."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path

import keras
import pytest

from tests.broken import first_steps_are_the_same_everywhere as local
from tests.broken.sound import Numbers, Share, Small
from tests.test_views import Showing
from zoo.errors import ZooError
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


@dataclass(frozen=True)
class Strict(Small):
    """An autoencoder of one size."""

    def networks(self, data):
        if data.shape != (6, 6, 1):
            raise ZooError(f"it is for (6, 6, 1), not {data.shape}")
        return super().networks(data)


@dataclass(frozen=True)
class Saying(Strict):
    """One that says so."""

    check_shapes = ((6, 6, 1),)


def test_a_model_says_what_shapes_it_is_for():
    results = {result.check: result for result in run_checks(Strict())}
    assert results["builds"].status == "failed"
    assert results["builds"].reason.startswith("it is for (6, 6, 1), not (8, 8, 1); if it is for")
    assert "check_shapes = ((64, 64, 3),) in Strict, or --shape 64,64," in results["builds"].reason
    skipped = [r.check for r in run_checks(Saying()) if r.status != "passed"]
    assert skipped == ["first_steps_are_the_same_everywhere"]  # which it was given none of
    more = Case(Saying(), shapes=[(6, 6, 1), (7, 7, 1)])
    assert "it refuses (7, 7, 1)" in failed(more, ["builds_for_other_shapes"]).popitem()[1]


def test_shapes_that_are_none_are_refused():
    @dataclass(frozen=True)
    class Wrong(Strict):
        """One that says a shape, not shapes."""

        check_shapes = (6, 6, 1)

    reason = failed(Wrong(), ["builds"])["builds"]
    assert reason.startswith("Wrong.check_shapes[0] is a tuple of int, not 6 (int)")


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
