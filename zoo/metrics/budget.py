"""Measuring within a budget of time: how much of a metric's protocol fits, and what is left."""

from __future__ import annotations

import dataclasses
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.engine.distributed.sharing import decided
from zoo.features import extraction
from zoo.plugin.dataset import Data
from zoo.plugin.metric import Measured, Metric, outcome
from zoo.runtime.waiting import QUIET, Waiting

if TYPE_CHECKING:
    from zoo.engine.model import GenerativeModel

SHARE = 0.25
"""Of the time that a training took."""

LEAST = 5.0
"""Seconds that may be measured, however short the training was."""

FEWEST = 256  # what abilities work on at once: fewer take as long
FEWEST_DRAWS = 25  # for each example; likewise

UNITS = {
    "test": "test examples",
    "held_out": "test examples",
    "samples": "samples",
    "examples": "training examples",
}


def of(training: float | None) -> float:
    """Seconds that may be measured after a training of so many seconds; None for unknown."""
    return max(SHARE * (training or 0.0), LEAST)


def measured(
    metric: Metric, model: GenerativeModel, data: Data, seed: int, seconds: float, shown: Waiting
) -> tuple[Measured, str]:
    """Measure what fits in so many seconds, by halves; and what was left out, in words.

    A slice is measured first, once to compile and once to time it. As much follows as fits, at
    least the slice. In a time without an end it tells how long the whole will take. Processes that
    measure together go by the first one's clock.

    Args:
        metric: prepared.
        model: the model.
        data: as evaluated.
        seed: of the run.
        seconds: that it may take.
        shown: is told how long it is expected to take.

    Returns:
        What was measured, and ``"2,500 of 10,000 test examples"``, empty for all of it.
    """
    most = _most_halvings(metric, data)
    if not most or (most == 1 and seconds == math.inf):  # a slice would be half of it
        return outcome(metric, model, data, seed), ""
    small, halved = Part.of(metric, data, most), 2**metric.order
    began = time.perf_counter()
    with extraction.apart():  # else the second slice would not take what a first one does
        found = small.measured(model, seed)
        compiled = time.perf_counter() - began
        whole = compiled * halved**most
        again, late = decided(whole > min(seconds, QUIET), compiled > seconds / 2)
        if again:
            if late:
                return found, small.words
            found = small.measured(model, seed)
            whole = (time.perf_counter() - began - compiled) * halved**most
    left = seconds - (time.perf_counter() - began)
    fitting = next((n for n in range(most) if whole / halved**n <= left), most)
    (halvings,) = decided(fitting)
    if halvings == most:
        return found, small.words
    shown.expected = time.perf_counter() - began + whole / halved**halvings
    part = Part.of(metric, data, halvings)
    return part.measured(model, seed), part.words


@dataclass(frozen=True, eq=False)
class Part:
    """A metric with fewer samples, and data with fewer test examples.

    Attributes:
        metric: the metric.
        data: the data.
        words: what is left of what; empty for all of it.
    """

    metric: Metric
    data: Data
    words: str = ""

    @classmethod
    def of(cls, metric: Metric, data: Data, halvings: int) -> Part:
        """What takes the time of the whole divided by two so many times.

        Test examples are drawn: evenly spaced ones miss classes where these come in a rhythm.
        """
        first = min(halvings, _halvings(min(_counts(metric, data).values()), _fewest(metric, data)))
        counts = {w: (n, max(n >> first, 1)) for w, n in _counts(metric, data).items()}
        per_example = metric.per_example
        if per_example and halvings > first:
            n = getattr(metric, per_example)
            counts[per_example] = n, n >> (halvings - first)
        settings = {what: few for what, (_, few) in counts.items() if what != "test"}
        if "test" in counts:
            test, (n, few) = data.test, counts["test"]
            data = dataclasses.replace(data, test=test.take(np.sort(extraction.drawn(few, n))))
        units = {**UNITS, per_example: f"{per_example} per example"}
        said = [
            f"{few:,} of {n:,} {units.get(what, what)}"
            for what, (n, few) in counts.items()
            if few < n
        ]
        return cls(dataclasses.replace(metric, **settings), data, " and ".join(said))

    def measured(self, model: GenerativeModel, seed: int) -> Measured:
        """What the metric gives."""
        return outcome(self.metric, model, self.data, seed)


def _most_halvings(metric: Metric, data: Data) -> int:
    counts = _counts(metric, data)
    if not counts:
        return 0
    draws = getattr(metric, metric.per_example) if metric.per_example else 0
    fewest = _fewest(metric, data)
    return _halvings(min(counts.values()), fewest) + _halvings(draws, FEWEST_DRAWS)


def _fewest(metric: Metric, data: Data) -> int:
    return max(FEWEST, metric.fewest(data))


def _halvings(count: int, fewest: int) -> int:
    return max((count // fewest).bit_length() - 1, 0)


def _counts(metric: Metric, data: Data) -> dict[str, int]:
    """``{"test" or a setting: how many}`` of what the metric's time grows with.

    Of examples there are at most those that the data have.
    """
    there = {"test": len(data.test), "held_out": len(data.test), "examples": len(data.train)}
    found = {}
    for what in metric.scales_with:
        count = there[what] if what == "test" else getattr(metric, what)
        found[what] = min(count, there.get(what, count))
    return found
