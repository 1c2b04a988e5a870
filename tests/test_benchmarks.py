"""The benchmark runs on this backend; how fast anything is, is not for tests to say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import __main__ as main
from benchmarks import running, table

ROOT = Path(__file__).parents[1]


def benchmark(tmp_path, *arguments):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks", "--smoke"),
            *("--backends", os.environ["KERAS_BACKEND"], "--json", str(tmp_path / "r.json")),
            *arguments,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "a measurement failed"
    return json.loads((tmp_path / "r.json").read_text()), done.stdout


@pytest.mark.slow
def test_every_way_of_training_is_measured(tmp_path):
    results, table = benchmark(tmp_path, "--only", "speed", "--models", "A,C")
    backend = os.environ["KERAS_BACKEND"]
    for model in ("A", "C"):
        found = results["speed"][model][backend]
        assert list(found)[:3] == ["zoo", "keras", "hand"]
        for [told] in found.values():
            assert all(value > 0 for value in told.values())
            assert told["start"] < told["first_step"]
    assert "| A: dense VAE 784-512-256-z16 |" in table
    assert "### Ratios" in table


@pytest.mark.slow
def test_waiting_for_data_is_measured_against_batches_that_cost_nothing(tmp_path):
    results, table = benchmark(tmp_path, "--only", "waiting")
    assert {len(told) for told in results["waiting"][os.environ["KERAS_BACKEND"]].values()} == {1}
    assert "### Waiting for data" in table


@pytest.mark.backend_free
def test_ratios_are_those_of_the_turns_and_of_the_fastest_backend():
    def told(*rates):
        return [{"pictures_per_second": r, "start": 1, "first_step": 2, "memory": 3} for r in rates]

    text = table.rendered(
        {
            "speed": {
                "A": {
                    "jax": {"zoo": told(8.0)},
                    "tensorflow": {"zoo": told(4.0)},
                    "torch": {"zoo": told(2.0, 6.0), "pythae": told(2.0, 2.0)},
                }
            }
        }
    )
    assert "| A | PyTorch |  |  | 2.00 (1.00 to 3.00) |" in text
    assert "| A | JAX / TensorFlow | 2.00 |" in text
    assert "| A | the fastest, JAX, / pythae | 4.00 |" in text


@pytest.mark.backend_free
def test_what_fails_the_first_time_is_left_out():
    found = running.side_by_side({"well": lambda: {"a": 1.0}, "ill": lambda: None}, pairs=3)
    assert found == {"well": [{"a": 1.0}] * 3}


@pytest.mark.backend_free
def test_keras_is_measured_with_convolutions_as_xla_has_them(monkeypatch):
    found = {}

    def measured(case, backend, variant, seconds, changes, environment):
        found[variant] = environment.get("ZOO_JAX_CONVOLUTIONS")
        return {"pictures_per_second": 1.0}

    monkeypatch.setattr(running, "measured", measured)
    options = SimpleNamespace(
        models=["C"], variants=["zoo", "keras", "hand"], smoke=True, seconds=0.0, pairs=1
    )
    main._speed(options, "jax", {})
    assert found == {"zoo": None, "keras": "xla", "hand": None}
