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
from benchmarks import cases, running, table
from benchmarks.running import Job

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


@pytest.mark.slow  # in short, test_what_fails_is_told_of_and_left_out runs the way by hand
def test_every_way_of_training_is_measured(tmp_path):
    results, table = benchmark(tmp_path, "--only", "speed", "--models", "A,C")
    backend = os.environ["KERAS_BACKEND"]
    for model in ("A", "C"):
        found = results["speed"][model][backend]
        assert list(found)[:3] == ["zoo", "keras", "hand"]
        for [told] in found.values():
            assert all(value > 0 for value in told.values())
            assert told["start"] < told["first_step"]
        assert 0 < found["zoo"][0]["waiting"] < 1
    assert "| A: dense VAE 784-512-256-z16 |" in table
    assert "### Ratios" in table
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


def test_what_fails_is_told_of_and_left_out(capsys):
    backend = os.environ["KERAS_BACKEND"]
    jobs = {
        "well": Job("A", backend, "hand", cases.SMOKE["A"]),
        "ill": Job("nowhere", backend, "hand"),
    }
    found = running.side_by_side(jobs, pairs=2, seconds=0.05)
    assert list(found) == ["well"]
    assert [told["pictures_per_second"] > 0 for told in found["well"]] == [True, True]
    assert "KeyError: 'nowhere'" in capsys.readouterr().err


@pytest.mark.backend_free
def test_epochs_of_what_is_compared_are_trained_in_turns(monkeypatch):
    turns = []

    class Child:  # not a process, as from outside nobody sees the order in which they train
        failed, trained, turns = False, 0.0, 0

        def __init__(self, job):
            self.name = job.variant

        def __enter__(self):
            return self

        def __exit__(self, *raised):
            pass

        def turn(self):
            turns.append(self.name)
            self.turns, self.trained = self.turns + 1, self.trained + 1.0

        def result(self):
            return {"turns": self.turns}

    monkeypatch.setattr(running, "Child", Child)
    jobs = {name: Job("A", "jax", name) for name in ("zoo", "hand")}
    found = running.side_by_side(jobs, pairs=2, seconds=3.0)
    assert turns[:6] == ["zoo", "hand", "hand", "zoo", "zoo", "hand"]
    assert turns[6:] == ["hand", "zoo", "zoo", "hand", "hand", "zoo"]
    assert found == {"zoo": 2 * [{"turns": 3}], "hand": 2 * [{"turns": 3}]}


@pytest.mark.backend_free
def test_keras_is_measured_without_accelerations(monkeypatch):
    found = {}

    def side_by_side(jobs, pairs, seconds):
        found.update({v: job.environment.get("ZOO_ACCELERATE") for v, job in jobs.items()})
        return {}

    monkeypatch.setattr(running, "side_by_side", side_by_side)
    options = SimpleNamespace(
        models=["C"], variants=["zoo", "keras", "hand"], smoke=True, seconds=0.0, pairs=1
    )
    main._speed(options, "jax", {})
    assert found == {"zoo": None, "keras": "none", "hand": None}
