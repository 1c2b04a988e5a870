"""Metrics while a model trains, whose best value is not always the last."""

from __future__ import annotations

import dataclasses
import math
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from zoo.callbacks.base import Callback
from zoo.datasets import Access, Data
from zoo.errors import ZooError
from zoo.features.extraction import drawn
from zoo.metrics import evaluate
from zoo.plugin import limits
from zoo.plugin.metric import Metric, outcome
from zoo.plugin.settings import typed
from zoo.runtime.console import counted
from zoo.runtime.keras import pinned
from zoo.runtime.waiting import waiting

INSTEAD = 'To train without: "callbacks=[]", or other metrics in callbacks.Measure'


@dataclass(eq=False)
class Measure(Callback):
    """Measures metrics every few epochs and after the last one, on validation examples.

    The test examples are not touched: what metrics say of test examples is of validation
    examples, drawn at random. Values and details are among the logs of an epoch, as
    ``val_mode_coverage`` and ``val_mode_coverage/high_quality``, so that TensorBoard has them as
    ``mode_coverage`` of ``validation``. ``results.json`` has all of them as ``over_training``, with
    the best and the last value. Checkpoints keep them. Measuring changes nothing of the training
    but its time; metrics that draw do so from the run's seed, the same draws every time.

    Args:
        metrics: what to measure, each by its whole protocol: give those that draw fewer
            samples, as ``metrics.Recognition(samples=500)``.
        every: epochs from one measurement to the next; there is one of the last epoch anyway.
        examples: validation examples that stand for the test examples, at most.
        data: what to measure on; None for the data of the run. ``fit`` needs it.

    Raises:
        ZooError: in training, the model or the data lack what a metric needs.

    Example:

    >>> callbacks=[zoo.callbacks.Measure([zoo.metrics.ModeCoverage()], every=5)]
    """

    metrics: Sequence[Metric]
    every: int = 1
    examples: int = 1000
    data: Data | None = None
    adds_to_logs: ClassVar[bool] = True

    def __post_init__(self):
        super().__init__()
        self.metrics = list(typed(self.metrics, Sequence[Metric], "callbacks.Measure: metrics"))
        for setting in ("every", "examples"):
            limits.check_count(self, setting, 1, where="callbacks.Measure")
        self._ready: list[Metric] = []
        self._begin()

    def _begin(self) -> None:
        self._epoch = 0  # the last that ended, from 1
        self._rows: list[dict[str, float]] = []
        self._about: dict[str, dict[str, Any]] = {}

    def check(self, model, data):
        """Refuse metrics that the model or the data lack something for."""
        part = self._part(self.data or data)
        evaluate.refuse_unmeasurable(self.metrics, model, part, instead=INSTEAD)

    def prepare(self, data, access, runs_folder):
        """Get what the metrics need, such as a judge."""
        self._measured_on = part = self._part(self.data or data)
        self._ready = [metric.prepare(part, access, runs_folder) for metric in self.metrics]

    def _part(self, data: Data) -> Data:
        """The data whose test examples are some of the validation examples."""
        n = len(data.validation)
        rows = np.sort(drawn(min(n, self.examples), n))
        return dataclasses.replace(data, test=data.validation.take(rows))

    def on_train_begin(self, logs=None):
        self._begin()
        if self._ready:
            return
        if self.data is None:
            raise ZooError(
                "callbacks.Measure measures on the data of a run: with fit, say which, as in "
                "Measure([...], data=zoo.datasets.MNIST().load())"
            )
        self.check(self.model, self.data)
        self.prepare(self.data, Access(), None)

    def on_epoch_end(self, epoch, logs=None):
        self._epoch = epoch + 1
        if not self._epoch % self.every or self._epoch == self.params["epochs"]:
            row = self._measure()
            if logs is not None:
                logs.update({f"val_{name}": v for name, v in row.items() if name not in _OF_ROW})

    def on_train_end(self, logs=None):
        # of a training that another callback ended
        if self._epoch > (self._rows[-1]["epoch"] if self._rows else 0):
            self._measure()

    @pinned()
    def _measure(self) -> dict[str, float]:
        began = time.perf_counter()
        row: dict[str, float] = {"epoch": self._epoch}
        seed = self.model.seed
        for metric in self._ready:
            with self._shown(f"measuring {metric.name}"):
                found = outcome(metric, self.model, self._measured_on, seed)
            told = evaluate.told(metric, found, self._named(metric), seed, self._binarized)
            row[metric.name] = float(told.pop("value"))
            row |= {f"{metric.name}/{key}": float(v) for key, v in told.pop("details").items()}
            if "not_finite" not in told or metric.name not in self._about:
                self._about[metric.name] = told  # else what is said of the others stays
        row["seconds"] = round(time.perf_counter() - began, 3)
        self._rows.append(row)
        return row

    def _named(self, metric: Metric) -> str:
        """What a metric is measured on, in words."""
        data = self._measured_on
        if not metric.on_test:
            return data.name
        return f"{data.name}, {counted(len(data.test), 'validation example')} as test examples"

    @property
    def _binarized(self) -> bool:
        return self.context is not None and self.context.binarized

    def _shown(self, what: str) -> AbstractContextManager:
        """Tell what takes long: on the live display of a run, where there is one."""
        if self.context is None or not sys.stderr.isatty():
            return waiting(what)
        return _Doing(self.context, what)

    def get_state(self) -> dict[str, Any]:
        """All that was measured, for checkpoints."""
        return {"epoch": self._epoch, "rows": self._rows, "about": self._about}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take up what ``get_state`` gave."""
        self._epoch = state["epoch"]
        self._rows, self._about = list(state["rows"]), dict(state["about"])

    def results(self) -> dict[str, Any]:
        """What was measured: of each metric its last and its best value, and all of them.

        Returns:
            ``{metric: {"unit": ..., "protocol": ..., "better": ..., "best": {"epoch": ...,
            "value": ...}, "final": likewise, "epochs": [...], "values": [...], "details":
            {detail: [...]}}}``. Epochs count from 1. There is no best where a metric does not
            say which values are better, or none is finite; and ``"seconds"`` are of all metrics.
        """
        return {name: self._of_metric(name) for name in self._about if self._rows}

    def _of_metric(self, name: str) -> dict[str, Any]:
        about = self._about[name]
        rows = [row for row in self._rows if name in row]  # a resumed training may have others
        found = [{"epoch": int(row["epoch"]), "value": row[name]} for row in rows]
        finite = [each for each in found if math.isfinite(each["value"])]
        best = {"higher": max, "lower": min}.get(about.get("better", ""))
        prefix = f"{name}/"
        details = dict.fromkeys(key for row in rows for key in row if key.startswith(prefix))
        return {
            **about,
            **({"best": best(finite, key=lambda each: each["value"])} if best and finite else {}),
            "final": found[-1],
            "epochs": [each["epoch"] for each in found],
            "values": [each["value"] for each in found],
            "details": {
                key.removeprefix(prefix): [row.get(key, math.nan) for row in rows]
                for key in details
            },
            "seconds": round(sum(row["seconds"] for row in rows), 3),
        }


_OF_ROW = ("epoch", "seconds")  # what a row has besides numbers of metrics


class _Doing(nullcontext):
    """What a run's live display says is done."""

    def __init__(self, context, what):
        super().__init__()
        self._context, self._what = context, what

    def __enter__(self):
        self._context.doing = self._what

    def __exit__(self, *error):
        self._context.doing = ""
