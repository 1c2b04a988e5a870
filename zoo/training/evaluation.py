"""What a model is measured by: terms of validation and test examples, metrics.

Of several processes that train together each does some of it, and all get the same numbers.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.datasets import Batches, Split
from zoo.engine import distributed
from zoo.engine.distributed import reduction, sharing
from zoo.engine.model import GenerativeModel
from zoo.metrics import evaluate
from zoo.nn import samplers
from zoo.random import Share
from zoo.runtime.waiting import waiting
from zoo.training.experiment import Experiment

BATCH = 250  # divides the usual sizes; results do not depend on it


def batches_of(split: Split) -> Batches | None:
    """What is evaluated of a split; None where there is nothing."""
    return Batches(split, BATCH, seed=0) if len(split) else None


def evaluated(
    model: GenerativeModel, batches: Batches, callbacks: keras.callbacks.Callback | None = None
) -> dict[str, float]:
    """The means of all terms, the same in all processes.

    A batch is evaluated whole by one process, so that noise and losses that compare examples are
    those of one process alone. The sums over batches are then added up.

    Args:
        model: compiled.
        batches: of the examples.
        callbacks: that are told; those of a process hear of its own batches.
    """
    if distributed.team is None:
        return _floats(model.evaluate(batches, verbose=0, return_dict=True, callbacks=callbacks))
    rank, terms = distributed.team.rank, model._terms
    share = Share.part(rank.number, rank.of, len(batches))
    with _counted_from(model, share.first * batches.batch_size):
        some = _Some(batches, share.first, share.rows)
        model.evaluate(some, verbose=0, return_dict=True, callbacks=callbacks)
    sums = [ops.convert_to_numpy(v).astype("float64") for v in (terms.total, terms.count)]
    # a process without a batch of its own has only looked on
    whole = distributed.team.total(np.stack(sums) * bool(share.weight))
    for variable, value in zip((terms.total, terms.count), whole, strict=True):
        variable.assign(value.astype("float32"))
    return _floats(model.get_metrics_result())


def fit_sampler(experiment: Experiment) -> None:
    """Fit the recipe's sampler, if it has one, and give it to the model."""
    recipe, model = experiment.recipe, experiment.model
    reduction.take_over(model)  # callbacks may have changed it at the end
    if recipe.sampler is None:
        return
    examples = experiment.data.train.some(samplers.MOST)
    with sharing.together():
        codes = model.encode(examples.x, labels=examples.y)
    labels = examples.y if model.plugin.conditional else None
    model.sampler = recipe.sampler.fit(codes, recipe.seed, labels)


def judged(
    experiment: Experiment, metrics: Sequence[Any], seconds: float | None
) -> tuple[dict[str, float], dict[str, Any]]:
    """The terms of the test examples, and the metrics.

    Args:
        experiment: that was trained.
        metrics: prepared.
        seconds: that it may take, or None for whole protocols.
    """
    recipe, model = experiment.recipe, experiment.model
    batches, began = batches_of(experiment.test), time.perf_counter()
    with waiting("measuring the losses of the test examples"):
        terms = evaluated(model, batches) if batches else {}
    binarized = bool(getattr(recipe.dataset, "binarize", None))
    left = None if seconds is None else seconds - (time.perf_counter() - began)
    with sharing.together():
        given = model, experiment.evaluated, recipe.seed, binarized, left
        return terms, evaluate.measure(metrics, *given)


class _Some(keras.utils.PyDataset):
    """Some of the batches of an epoch."""

    def __init__(self, batches: Batches, first: int, count: int):
        super().__init__()
        self._batches, self._first, self._count = batches, first, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> tuple:
        return self._batches[self._first + index]


@contextmanager
def _counted_from(model: GenerativeModel, row: int) -> Iterator[None]:
    """Within, an evaluation's first example has the noise of this row."""
    model._terms.first_row = row
    try:
        yield
    finally:
        model._terms.first_row = 0


def _floats(logs) -> dict[str, float]:
    return {name: float(logs[name]) for name in sorted(logs)}
