"""Measuring within a budget of time, and what is shown meanwhile."""

from __future__ import annotations

import dataclasses
import io
import math
import time
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

import zoo
from zoo import metrics
from zoo.datasets import Data, Split
from zoo.metrics import budget, evaluate
from zoo.plugin import registry
from zoo.plugin.metric import Measured
from zoo.reports import summary
from zoo.runtime import waiting as shown_while
from zoo.runtime.waiting import waiting
from zoo.testing.checks import metrics as checks

pytestmark = pytest.mark.backend_free

COMPILING = 3.0


@dataclass(frozen=True)
class Slow(zoo.Metric):
    """Takes ``cost`` seconds for each draw of each test example, and more the first time."""

    cost: float
    clock: list
    samples: int = 1

    name: ClassVar[str] = "slow"
    needs: ClassVar[tuple[str, ...]] = ()
    scales_with: ClassVar[tuple[str, ...]] = ("test",)
    per_example: ClassVar[str] = "samples"

    def measure(self, model, data, seed):
        self.clock[0] += self.cost * len(data.test) * self.samples
        self.clock[0] += 0 if self.clock[1:] else COMPILING
        self.clock.append(len(data.test))
        return Measured(float(data.test.x.mean()), "", f"{len(data.test)} examples")


@dataclass(frozen=True)
class Pairs(Slow):
    """Takes ``cost`` seconds for each pair of test examples."""

    order: ClassVar[int] = 2

    def measure(self, model, data, seed):
        self.clock[0] += self.cost * len(data.test) ** 2
        self.clock.append(len(data.test))
        return Measured(0.0, "", f"{len(data.test)} examples")


def data(n):
    split = Split(np.arange(n, dtype="float32")[:, None])
    return Data("made", zoo.DataSpec((1,)), split, split, split, fingerprint="0")


@pytest.fixture
def clock(monkeypatch):
    """Seconds that have passed, then the counts of what was measured."""
    now = [0.0]
    for module in (budget, evaluate):
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    return now


def measured(metric, n, seconds):
    return budget.measured(metric, None, data(n), 0, seconds, SimpleNamespace(expected=None))


@pytest.mark.parametrize(
    ("cost", "seconds", "words"),
    [
        (1e-3, math.inf, ""),
        (1e-3, 30, ""),
        (1e-3, 10, "5,000 of 10,000 test examples"),
        (1e-3, 7, "2,500 of 10,000 test examples"),
        (1e-2, 20, "625 of 10,000 test examples"),
        (1, 60, "312 of 10,000 test examples"),
        (1e-6, 0.5, "312 of 10,000 test examples"),  # compiling alone takes longer
    ],
)
def test_as_much_as_fits_is_measured_by_halves(clock, cost, seconds, words):
    found, left = measured(Slow(cost, clock), 10_000, seconds)
    assert left == words
    n = int(words.partition(" of ")[0].replace(",", "")) if words else 10_000
    assert clock[-1] == n and found.protocol == f"{n} examples"
    assert found.value == pytest.approx(5000, rel=0.05)  # drawn
    if n > 312:
        assert clock[0] <= seconds


def test_draws_for_each_example_are_halved_when_examples_are_few(clock):
    metric = Slow(1e-3, clock, samples=5000)
    left = measured(metric, 10_000, 60)[1]
    assert left == "312 of 10,000 test examples and 78 of 5,000 samples per example"
    assert clock[0] <= 60


def test_the_time_of_pairs_grows_with_the_square(clock):
    assert measured(Pairs(1e-6, clock), 10_000, 40)[1] == "5,000 of 10,000 test examples"
    assert clock[0] <= 40
    assert (metrics.PRDC.order, metrics.Memorisation.order, metrics.Frechet.order) == (2, 2, 1)


@dataclass(frozen=True)
class Fitted(Slow):
    """Takes some training examples. The data may have fewer."""

    examples: int = 10_000

    scales_with: ClassVar[tuple[str, ...]] = ("test", "examples")


def test_no_more_examples_are_left_out_than_there_are(clock):
    metric = Fitted(1, clock)
    assert measured(metric, 700, 1e9)[1] == ""
    assert measured(metric, 1024, 60)[1] == (
        "256 of 1,024 test examples and 256 of 1,024 training examples"
    )


def test_classes_that_come_in_a_rhythm_are_all_in_a_part():
    given = data(1024)
    split = dataclasses.replace(given.test, y=np.arange(1024) % 10)
    part = budget.Part.of(Slow(1, []), dataclasses.replace(given, test=split), 1)
    assert np.bincount(part.data.test.y).min() > 30
    half = budget.Part.of(Slow(1, []), dataclasses.replace(given, test=split), 2)
    assert set(half.data.test.x[:, 0]) < set(part.data.test.x[:, 0])


def test_what_is_small_is_never_shortened(clock):
    assert measured(Slow(100, clock), 511, 0)[1] == ""
    assert measured(Slow(100, clock, samples=49), 300, 0)[1] == ""
    assert measured(Slow(100, clock), 512, 0)[1] == "256 of 512 test examples"


def test_a_metric_that_says_nothing_of_its_time_is_measured_once_and_whole(clock):
    metric = type("Silent", (Slow,), {"scales_with": (), "per_example": ""})(1, clock)
    assert measured(metric, 10_000, 0)[1] == "" and clock[1:] == [10_000]


def test_each_metric_has_its_part_of_what_is_left(clock):
    kinds = [type(f"Slow{i}", (Slow,), {"name": f"slow{i}"}) for i in range(3)]
    every = [kind(1e-3, clock) for kind in kinds]
    found = evaluate.measure(every, None, data(10_000), 0, False, seconds=30)
    assert clock[0] <= 30
    left = "5,000 of 10,000 test examples"
    assert found["slow0"]["shortened"] == left
    assert found["slow0"]["protocol"] == f"made, shortened to {left}: 5000 examples"
    assert found["slow2"]["protocol"] == "made: 10000 examples"
    whole = evaluate.measure(every, None, data(10_000), 0, False)
    assert "shortened" not in str(whole)


def test_a_quarter_of_the_training_and_five_seconds_at_least():
    assert budget.of(100) == 25 and budget.of(1) == budget.of(None) == 5


@pytest.mark.parametrize("name", [record.typed for record in registry.records("metrics")])
def test_what_shipped_metrics_scale_with_is_there(name, monkeypatch):
    monkeypatch.setattr(metrics.SpaceMetric, "fewest", lambda self, data: 1)  # of no pictures here
    metric = registry.create("metrics", name)
    settings = {field.name for field in dataclasses.fields(metric)}
    assert metric.scales_with and {*metric.scales_with} - {"test"} <= settings
    assert not metric.per_example or type(getattr(metric, metric.per_example)) is int
    part = budget.Part.of(metric, data(100_000), 1)
    assert len(part.data.test) == (50_000 if "test" in metric.scales_with else 100_000)


def test_a_shortened_number_is_marked_wherever_it_is_shown():
    found = {"value": -95.908, "unit": "nats", "protocol": "p", "details": {}}
    assert summary.measured({"elbo": found}) == ["elbo  -95.908 nats  (p)"]
    short = summary.measured({"elbo": {**found, "shortened": "1 of 2 test examples"}})
    assert short[0] == "elbo  ~-95.908 nats  (p)" and short[1].endswith("zoo evaluate RUN --full")


# --- what is shown meanwhile


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr(shown_while, "QUIET", 0.02)
    monkeypatch.setattr(shown_while, "EVERY", 0.05)


def test_what_is_quick_is_not_told():
    out = io.StringIO()
    with waiting("measuring", out):
        pass
    assert out.getvalue() == ""


@pytest.mark.usefixtures("soon")
def test_what_takes_long_is_told_in_lines_now_and_then():
    out = io.StringIO()
    with waiting("measuring elbo", out) as shown:
        shown.expected = 75
        time.sleep(0.2)
    lines = out.getvalue().splitlines()
    assert 2 <= len(lines) <= 4 and set(lines) == {"measuring elbo: 0:00 of about 1:15"}


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("columns", ["30", "100"])
def test_on_a_terminal_it_is_one_line_that_goes_away(monkeypatch, columns):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", columns)
    out = Terminal()
    with waiting("measuring elbo", out) as shown:
        shown.expected = 75
        time.sleep(0.3)
    assert "measuring elbo" in out.getvalue()
    assert out.getvalue().endswith("\x1b[2K") or "\x1b[?25h" in out.getvalue()


def test_a_metric_that_breaks_ends_what_is_shown():
    with pytest.raises(ValueError), waiting("measuring", io.StringIO()) as shown:
        raise ValueError
    assert not shown._thread.is_alive()


def test_recognition_takes_fewer_samples_and_fewer_real_pictures():
    part = budget.Part.of(metrics.Recognition(), data(10_000), 1)
    assert part.words == "5,000 of 10,000 test examples and 500 of 1,000 samples"


@pytest.mark.parametrize("more", [{"scales_with": ("sample",)}, {"per_example": "cost"}])
def test_a_metric_that_scales_with_what_it_has_not_fails_its_check(more):
    odd = type("Odd", (Slow,), more)(1.5, [0.0])
    with pytest.raises(AssertionError, match=r"it scales with (sample|cost): name settings"):
        checks.names_itself_and_its_needs(SimpleNamespace(plugin=odd))
