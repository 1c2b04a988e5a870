"""Measuring a trained model: which metrics can be measured, and their values."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError
from zoo.features import extraction
from zoo.metrics import budget
from zoo.plugin.dataset import Data
from zoo.plugin.metric import Measured, Metric
from zoo.runtime.keras import pinned
from zoo.runtime.waiting import waiting

if TYPE_CHECKING:
    from zoo.engine.model import GenerativeModel

NONE = 'To measure nothing: "metrics=[]"'
OTHERS = "To measure something else: --metric NAME, of those that zoo list metrics names"


def refuse_unmeasurable(
    metrics: Iterable[Metric],
    model: GenerativeModel,
    data: Data,
    sampler: bool = False,
    instead: str = NONE,
) -> None:
    """Refuse metrics that cannot be measured.

    Args:
        metrics: the metrics.
        model: what is to be measured, trained or not.
        data: what it is to be measured on.
        sampler: whether the model will be given a sampler after training.
        instead: what to do without these metrics, a sentence that ends each message.

    Raises:
        ZooError: the model or the data lack what a metric needs, or two have one name.
    """
    able = model.able(sampler)
    seen: set[str] = set()
    for metric in metrics:
        if metric.name in seen:
            raise ZooError(f"two metrics are called {metric.name!r}: results hold one of a name")
        seen.add(metric.name)
        try:
            _check(metric, model, able, data)
        except ZooError as error:
            raise ZooError(f"{error}. {instead}") from error


def _check(metric: Metric, model: GenerativeModel, able: list[str], data: Data) -> None:
    for ability in metric.needs:
        if ability not in able:
            raise ZooError(
                f"metric {metric.name!r} needs a model that can {ability}, which "
                f"{model.where} cannot; it can: {', '.join(able) or 'nothing'}"
            )
    if metric.conditional and not model.plugin.conditional:
        raise ZooError(
            f"metric {metric.name!r} needs a conditional model, whose samples have labels: "
            "model.conditional=True"
        )
    if metric.on_test and not len(data.test):
        raise ZooError(
            f"metric {metric.name!r} needs test examples, and {data.name} has none: hold some "
            "out, as by dataset.test=0.1"
        )
    metric.check(data)
    metric.check_model(model, data)


@pinned()
def measure(
    metrics: Sequence[Metric],
    model: GenerativeModel,
    data: Data,
    seed: int,
    binarized: bool,
    seconds: float | None = None,
) -> dict[str, dict[str, Any]]:
    """Measure a trained model.

    Args:
        metrics: prepared, as ``Metric.prepare`` returns them.
        model: the model.
        data: as evaluated.
        seed: of the run.
        binarized: whether pixels of the data were drawn from that seed.
        seconds: that all of it may take: a metric that would take longer than its part gets fewer
            examples or samples. None for whole protocols.

    Returns:
        ``{metric: {"value": ..., "unit": ..., "protocol": ..., "details": {...}}}``, with the facts
        of each; ``"better"``, where it says which values are; and ``"shortened"`` where the
        protocol is not whole: what was left, in words.
    """
    until = time.perf_counter() + (math.inf if seconds is None else seconds)
    measured = {}
    with extraction.shared():
        for place, metric in enumerate(metrics):
            own = (until - time.perf_counter()) / (len(metrics) - place)
            with waiting(f"measuring {metric.name}") as shown:
                found, left = budget.measured(metric, model, data, seed, own, shown)
            measured[metric.name] = told(metric, found, data.name, seed, binarized, left)
    return measured


def told(
    metric: Metric, found: Measured, data: str, seed: int, binarized: bool, left: str = ""
) -> dict[str, Any]:
    """What was measured as ``measure`` has it.

    Args:
        metric: what was measured.
        found: what it gave.
        data: what it was measured on, in words.
        seed, binarized: as in ``measure``.
        left: what was left of the protocol, in words; empty for all of it.
    """
    drawn = f"; pixels binarized once from seed {seed}" if binarized else ""
    what = f"{data}, shortened to {left}" if left else data
    return {
        "value": found.value,
        "unit": found.unit,
        "protocol": f"{what}: {found.protocol}{drawn}",
        "details": dict(found.details),
        **({"better": metric.better} if metric.better else {}),
        **found.facts,
        **({"shortened": left} if left else {}),
    }
