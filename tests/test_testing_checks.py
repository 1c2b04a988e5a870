"""The checks themselves: sound plugins pass all, and each broken one fails its own alone."""

from __future__ import annotations

import importlib
from pathlib import Path

import keras
import pytest

from tests.broken import first_steps_are_the_same_everywhere as local
from tests.broken.sound import Numbers, Share, Small
from zoo.plugin.model import DataSpec
from zoo.testing import Case, run_checks
from zoo.testing.checks import CHECKS

NAMES = [check.name for check in CHECKS]
ELSEWHERE = {  # PyTorch compiles nothing, and JAX traces losses in zoo.build
    ("training_steps_compile", "jax"): ["builds"],
    ("training_steps_compile", "torch"): [],
    ("abilities_compile", "torch"): [],
}
ON_EACH = (  # checks of what every backend does in its own way
    "trains_on_a_batch_of_one_and_a_ragged_last_batch",
    "evaluation_changes_nothing",
    "trains_in_mixed_precision",
    "a_player_moves_its_own_weights_and_no_others",
    "first_steps_are_the_same_everywhere",
    "weights_in_a_file_give_the_same_outputs",
    "resumed_training_equals_uninterrupted",
    "training_steps_compile",
    "abilities_compile",
)
ONCE = pytest.mark.once_in_short


def failed(plugin, only=()):
    return {result.check: result.reason for result in run_checks(plugin, only=only) if result.bad}


@pytest.mark.parametrize(
    "plugin",
    [
        Case(Small(), DataSpec((8, 8, 1), 3), first_steps=local.FIRST_STEPS),
        pytest.param(Case(Small(), DataSpec((2,), 3)), marks=ONCE),
        pytest.param(Numbers(), marks=ONCE),
        pytest.param(Share(), marks=ONCE),
    ],
    ids=["model", "model of points", "dataset", "metric"],
)
def test_sound_plugins_pass(plugin):
    assert failed(plugin) == {}


@pytest.mark.backend_free
def test_every_check_has_its_broken_plugin():
    files = {path.stem for path in (Path(__file__).parent / "broken").glob("[!_]*.py")}
    assert files - {"sound"} == set(NAMES)
    assert len(NAMES) == len(set(NAMES)) and all(check.about for check in CHECKS)


@pytest.mark.parametrize(
    "name", [name if name in ON_EACH else pytest.param(name, marks=ONCE) for name in NAMES]
)
def test_a_broken_plugin_is_rejected_by_its_check_alone(name, full):
    plugin = importlib.import_module(f"tests.broken.{name}").plugin
    backend = keras.backend.backend()
    rejecting = ELSEWHERE.get((name, backend), [name])
    # that no other check rejects it is told on PyTorch, where all of them take a second, if whole
    every = full and backend == "torch"
    found = failed(plugin, only=() if every else rejecting or [name])
    assert list(found) == rejecting
    assert all(found.values())
