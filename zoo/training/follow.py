"""A process that trains along with the first: it makes its part of each step, no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from zoo.config.recipe import Recipe
from zoo.datasets import Access
from zoo.engine import distributed
from zoo.errors import RunFailed
from zoo.runs.checkpoints import Snapshot
from zoo.runtime.keras import pinned
from zoo.training.evaluation import batches_of, fit_sampler, judged
from zoo.training.experiment import averaging, prepare, prepared_metrics
from zoo.training.loop import Loop
from zoo.training.signals import Interruption


@pinned()
def follow(
    recipe: Recipe,
    access: Access | None = None,
    on_nan: str = "stop",
    full: bool = False,
    runs_folder: str | None = None,
) -> None:
    """Train what the first process trains, from the step at which it begins, and help to measure.

    Callbacks are in the first process alone, which also keeps the checkpoints. What it decides,
    such as to stop, holds for all, and so does what its callbacks change in the model.

    Args:
        recipe, access, on_nan, full, runs_folder: as the first process has them.

    Raises:
        RunFailed, KeyboardInterrupt: as in the first process.
    """
    experiment = prepare(recipe, access, on_nan)
    metrics = prepared_metrics(experiment, access, runs_folder)
    epoch, step, epochs = distributed.decided(0, 0, 0)
    with Interruption(lambda line: None) as interruption:
        Following(
            experiment.model,
            experiment.batches,
            averaging(recipe),
            first=epoch,
            epochs=epochs,
            validation=batches_of(experiment.validation),
            checkpoints=Unwritten(),  # type: ignore[arg-type]  # what Loop asks of one
            interruption=interruption,
            start=Snapshot({}, {"epoch": epoch, "step": step}),
            new_rates=(),
            about=dict,
            say=lambda line: None,
        ).run()
    fit_sampler(experiment)
    judged(experiment, metrics, None if full else 0.0)  # the first one looks at the clock
    distributed.leave()


class Following(Loop):
    """The loop of a process that takes over what the first one restores."""

    def _restore(self) -> None:
        pass

    def _fail(self, what: str, advice: str = "") -> NoReturn:
        raise RunFailed(what)


class Unwritten:
    """The checkpoints of a process that keeps none."""

    last = ""

    def due(self, steps: int, epochs: int | None = None) -> bool:
        return False

    def better(self, logs: Mapping[str, float]) -> bool:
        return False

    def hold(self, taken: Any) -> None:
        pass

    def write(self) -> None:
        pass

    def write_what_is_held(self) -> None:
        pass
