"""The checks themselves: sound plugins pass all, and each broken one fails its own alone."""

from __future__ import annotations

import importlib
import itertools
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from tests.broken import first_steps_are_the_same_everywhere as local
from tests.broken.sound import Halves, Numbers, Share, Small
from tests.test_views import Showing
from zoo import random
from zoo.cli import check as check_command
from zoo.errors import ZooError
from zoo.plugin.model import DataSpec
from zoo.testing import Case, isolated, run_checks
from zoo.testing.checks import CHECKS

pytestmark = pytest.mark.once_in_short

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
        pytest.param(Case(Showing(), DataSpec((8, 8, 1), 3)), marks=ONCE),
        pytest.param(Numbers(), marks=ONCE),
        pytest.param(Share(), marks=ONCE),
        pytest.param(Halves(), marks=ONCE),
    ],
    ids=["model", "model of points", "views", "dataset", "metric", "feature space"],
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
    results = run_checks(Saying())
    skipped = [r.check for r in results if r.status not in ("passed", "not applicable")]
    # which it was given none of
    assert skipped == ["first_steps_are_the_same_everywhere", "samples_are_the_same_everywhere"]
    apart = {result.check for result in results if result.status == "not applicable"}
    assert {"labels_choose_samples", "every_source_counts", "adapts_the_same_for_a_seed"} <= apart


def test_what_does_not_build_is_told_once():
    rows = [vars(result) | {"bad": result.bad} for result in run_checks(Strict())]
    lines = check_command._text("strict", {"torch": rows, "jax": [dict(row) for row in rows]})
    assert sum("build" in line for line in lines) == 3  # row, reason and what it kept from trying
    untried = sum(row["reason"] == "not tried: it does not build" for row in rows)
    assert untried > 25 and f"torch, jax: {untried} checks not tried: it does not build" in lines
    assert any(line.startswith("not applicable: ") for line in lines)
    assert lines[-1].startswith(f"strict: 2 of {2 * 6} checks failed")
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


@dataclass(frozen=True)
class Counting(Small):
    """An autoencoder whose loop indexes its noise by a counter of its own, not by the loop's."""

    def sample(self, nets, n, rng, labels=None):
        counter = itertools.count()

        def body(i, z):
            return z + rng.at(next(counter)).normal((n, self.latent_dim))

        return nets.decoder(ops.fori_loop(0, 3, body, ops.zeros((n, self.latent_dim))))


def test_noise_that_a_traced_loop_would_repeat_is_seen_within_one_backend():
    expected = [] if keras.backend.backend() == "torch" else ["abilities_compile"]
    names = ["samples_are_like_examples", "samples_keep_to_their_seed_and_place"]
    assert list(failed(Counting(), [*names, "abilities_compile"])) == expected


@dataclass(frozen=True)
class Indexed(Small):
    """An autoencoder whose loops have noise by index."""

    def sample(self, nets, n, rng, labels=None):
        shape = (n, self.latent_dim)
        z = random.loop(3, lambda i, z, rng: z + rng.normal(shape), ops.zeros(shape), rng)

        def body(z, i):
            z = z + rng.at(i).normal(shape)
            return z, z

        places = ops.arange(3, dtype="int32")
        z, _ = ops.scan(body, z, places)
        z = z + ops.sum(ops.map(lambda i: rng.at(-1 - i).normal(shape), places), axis=0)
        z, _ = ops.while_loop(
            lambda z, i: i < 6,
            lambda z, i: (z + rng.at(i).normal(shape), i + 1),
            (z, ops.convert_to_tensor(np.int32(3))),
        )
        return nets.decoder(z)


def test_noise_by_index_passes():
    recorded = (0.3227291, 0.07513223, 0.3003628)
    case = Case(Indexed(), DataSpec((8, 8, 1), 3), first_samples=recorded)
    assert failed(case) == {}


@pytest.mark.backend_free
@pytest.mark.parametrize("check", list(isolated.COMPARED))
def test_what_backends_record_is_compared(check):
    recorded = isolated.COMPARED[check]

    def compared(*numbers):
        rows = [{"check": check, "status": "skipped", "reason": "", "bad": False} for _ in numbers]
        for row, own in zip(rows, numbers, strict=True):
            row |= {} if own is None else {recorded: own}
        isolated.compare_backends({f"backend {i}": [row] for i, row in enumerate(rows)})
        return rows

    assert [row["status"] for row in compared([1.0, 2.0], [1.0, 2.0001])] == ["passed"] * 2
    first, second = compared([1.0, 2.0], [1.0, 2.1])
    assert (first["status"], second["status"], second["bad"]) == ("passed", "failed", True)
    told = f"{recorded} 1, 2.1, on backend 0 1, 2: a relative difference of 0.05, where 0.0001 is"
    assert told in second["reason"]
    assert [row["status"] for row in compared([1.0], None)] == ["skipped"] * 2
    assert compared([1.0, float("nan")], [1.0, 2.0])[1]["bad"]
    assert compared([1.0], [1.0, 2.0])[1]["bad"]
    assert compared([0.0, 2.0], [1e-6, 2.0])[1]["bad"] == (recorded == "losses")
