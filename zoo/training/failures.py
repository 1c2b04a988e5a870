"""What a machine runs out of in the middle of a run, told so that one can go on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from zoo.engine import distributed
from zoo.engine.backends import backend
from zoo.errors import CodeFailed, Lost, RunFailed, ZooError
from zoo.runtime import memory
from zoo.runtime.files import REMEDIES

if TYPE_CHECKING:
    from zoo.runs.run import Run
    from zoo.training.experiment import Experiment


@contextlib.contextmanager
def explain_resource_errors(run: Run, experiment: Experiment) -> Iterator[None]:
    """Tell of what the machine lacks, and of a folder that is gone, in one message.

    The machine may lack memory, or whatever ``REMEDIES`` knows of: room on a disk, permission,
    open files.

    Raises:
        RunFailed: in place of such an error; any other is left as it is.
    """
    try:
        yield
    except Exception as error:
        known = _explained(error, run, experiment)
        if known is None:
            raise
        raise known from error


def _explained(error: Exception, run: Run, experiment: Experiment) -> RunFailed | None:
    if isinstance(error, (ZooError, FileNotFoundError, NotADirectoryError)) and run.is_gone:
        return RunFailed(
            f"run {run.name}: its folder {run.path} was removed or moved while it was trained, so "
            f"the training has ended. If it was moved, move it back, then: zoo resume {run.id}"
        )
    if isinstance(error, ZooError):
        ours = not (isinstance(error, CodeFailed) and memory.is_full(error.__cause__))
        return None if ours else _out_of_memory(run, experiment)
    if memory.is_full(error):
        return _out_of_memory(run, experiment)
    if distributed.is_lost(error):
        return Lost(
            f"run {run.name}: another process of its training has ended or does not answer. To "
            f"continue from the last checkpoint: zoo resume {run.id} --devices {distributed.size()}"
        )
    if isinstance(error, OSError) and error.errno in REMEDIES:
        return RunFailed(
            f"run {run.name}: {error.filename or run.path}: {error.strerror}. "
            f"{REMEDIES[error.errno]}, then continue from the last checkpoint: "
            f"zoo resume {run.id}"
        )
    return None


def _out_of_memory(run: Run, experiment: Experiment) -> RunFailed:
    size, repeats = experiment.recipe.dataset.batch_size, experiment.model.repeats
    moves = f", {repeats} times that a step" if repeats > 1 else ""
    precision = "" if experiment.recipe.precision != "float32" else "; precision=mixed_bfloat16"
    return RunFailed(
        f"run {run.name}: out of memory on the {backend.device()} with batches of {size}{moves}. "
        f"Try, in this order: dataset.batch_size={max(size // 2, 1)}{precision}; a smaller model. "
        f"A run with these starts from this one's weights with --from {run.id}"
    )
