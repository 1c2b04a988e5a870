"""A recipe becomes a run; the same on every backend."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras

from zoo import callbacks
from zoo.config.recipe import Recipe
from zoo.datasets import Access
from zoo.engine import distributed
from zoo.errors import ZooError, shortened
from zoo.metrics import budget
from zoo.plugin import views
from zoo.reports import differences, pictures
from zoo.runs import artifact, describe, folders, locks, own_networks, safetensors, seal
from zoo.runs.checkpoints import Snapshot, Store
from zoo.runs.run import Run
from zoo.runs.signs import KEY, Signs, least_steps
from zoo.runs.trained import TrainedRun
from zoo.runtime.console import printable
from zoo.runtime.keras import pinned
from zoo.runtime.waiting import waiting
from zoo.training import failures, finite, history, warm_start
from zoo.training import signs as look
from zoo.training.checkpointing import CheckpointWriter
from zoo.training.evaluation import batches_of, fit_sampler, judged
from zoo.training.experiment import Experiment, averaging, prepare, prepared_metrics
from zoo.training.loop import Loop
from zoo.training.signals import Interruption
from zoo.training.stopwatch import Stopwatch


@pinned()
def train(
    recipe: Recipe,
    *,
    name: str = "recipe",
    source: str | Path | None = None,
    changes: Sequence[str] = (),
    weights_from: Run | Path | str | None = None,
    on_nan: Literal["stop", "skip"] = "stop",
    full: bool = False,
    runs_folder: str | None = None,
    access: Access | None = None,
    prepared: Callable[[Experiment], None] = lambda experiment: None,
    begun: Callable[[Run], None] = lambda run: None,
    say: Callable[[str], None] = lambda line: None,
) -> TrainedRun:
    """Train what a recipe says, in a new run folder.

    Args:
        recipe: the experiment.
        name: what the run is called after.
        source: the recipe's file, copied into the run.
        changes: those by which the recipe differs from its file, as ``key=value``.
        weights_from: a run to start from the weights of, network by network, where they fit.
        on_nan: what to do where a term is not finite: ``"stop"``; or ``"skip"``, which leaves
            out each move that has such a term or gradient.
        full: whether to measure by whole protocols, however long it takes; else as many examples
            and samples as fit in a quarter of the training's time.
        runs_folder: folder for runs; default ``ZOO_RUNS``, else ``./runs``.
        access: where data may come from.
        prepared: called when all is checked, before the run's folder is made.
        begun: called with the run when its folder is made.
        say: told one line at a time what a person should know.

    Returns:
        The finished run: ``results``, ``history``, ``pictures`` and ``load()`` are its.

    Raises:
        ZooError: something is wrong with the recipe or its data; nothing was trained.
        RunFailed: a term is no longer finite, memory or disk is full. The last good state is
            kept, and ``zoo.resume`` goes on from there.
        KeyboardInterrupt: Ctrl-C or SIGTERM, after a checkpoint.
    """
    experiment = prepare(recipe, access, on_nan)
    taken = warm_start.weights(experiment.model, weights_from, source, runs_folder, say)
    prepared(experiment)
    metrics = prepared_metrics(experiment, access, runs_folder)
    fields = {"changes": list(changes), "on_nan": on_nan, "weights_from": taken}
    described = {**describe.describe(experiment), **fields}
    described["seal"] = seal.made(described)
    run = folders.create(folders.root(runs_folder), name, source=source, **described)
    with locks.held(run.path):
        begun(run)
        own_networks.keep(run, experiment.model, say)
        return carry_out(Training(experiment, metrics, run, say, full))


@dataclass
class Training:
    """An experiment that is carried out in a run.

    Attributes:
        experiment: prepared.
        metrics: prepared.
        run: its folder, whose lock this process holds.
        say: tells a person one line.
        full: whether to measure by whole protocols.
        start: the checkpoint to go on from; None to begin at the beginning.
        further: whether to go on though the training was over, as with more epochs.
    """

    experiment: Experiment
    metrics: Sequence[Any]
    run: Run
    say: Callable[[str], None]
    full: bool = False
    start: Snapshot | None = None
    further: bool = False


def carry_out(training: Training) -> TrainedRun:
    """Train, evaluate, and say in the run how it ended; see ``train``."""
    experiment, run = training.experiment, training.run
    try:
        with failures.explain_resource_errors(run, experiment):
            spent = Stopwatch(training.start.state if training.start else None)
            logs = _fit(training, spent)
            fit_sampler(experiment)
            _show_sampler(experiment, run)
            seconds = None if training.full else budget.of(spent.read()["seconds"])
            results = _results(training, logs, seconds)
            for part in ("validation", "test"):
                told = finite.in_results(part, results[part], getattr(experiment, part))
                if told:
                    training.say(told)
            results |= spent.read()
            run.write_json("results.json", results)
            for callback in _ours(experiment.recipe.callbacks):
                callback.on_results(results)
            run.update(
                status="finished",
                failure="",
                finished_in_seconds=results["seconds"],
                sha256=artifact.hashes(run),
            )
    except BaseException as error:
        stopped = isinstance(error, KeyboardInterrupt)
        with contextlib.suppress(ZooError):  # a full disk is told already
            why = "" if stopped else printable(shortened(str(error), 500))
            run.update(status="interrupted" if stopped else "failed", failure=why)
        raise
    return TrainedRun(run.path)


def _fit(training: Training, spent: Stopwatch) -> dict[str, float]:
    """Train, and return the last epoch's logs."""
    experiment, run, start = training.experiment, training.run, training.start
    recipe, model, batches = experiment.recipe, experiment.model, experiment.batches
    context = callbacks.Context(
        run=run,
        recipe_name=run.path.parent.name,
        recipe_text=run.source,
        data=experiment.data,
        batch_size=recipe.dataset.batch_size * model.repeats,
        epochs=recipe.epochs,
        steps=len(batches),
        validation=experiment.shown,
        say=training.say,
        resumed=start is not None,
        binarized=bool(getattr(recipe.dataset, "binarize", None)),
        **_described(run),
    )
    context.kinds |= dict.fromkeys(views.of(recipe.model), views.ROWS)
    policies = [c for c in recipe.callbacks if isinstance(c, callbacks.Checkpoint)]
    table = history.Table(str(run.log), append=start is not None)
    given = sorted(recipe.callbacks, key=lambda c: not getattr(c, "adds_to_logs", False))
    used = [*averaging(recipe), *given, table, callbacks.Progress()]
    ours = _ours(used)
    for callback in ours:
        callback.context = context
    rates = describe.rates(model)
    first = start.state["epoch"] if start else 0
    over = start is not None and start.state["stopped"] and not training.further

    def about():
        return {
            **spent.read(),
            "backend": keras.backend.backend(),
            "steps": len(batches),
            "rates": rates,
        }

    last = first if over else recipe.epochs
    distributed.decided(first, start.state["step"] if start else 0, last)
    try:
        with Interruption(training.say) as interruption:
            Loop(
                model,
                batches,
                used,
                first=first,
                epochs=last,
                validation=batches_of(experiment.validation),
                checkpoints=CheckpointWriter(
                    run, (policies or [callbacks.Checkpoint()])[0], Store(run.checkpoints), start
                ),
                interruption=interruption,
                start=start,
                new_rates=[p for p in rates if start and start.state["rates"].get(p) != rates[p]],
                about=about,
                say=training.say,
            ).run()
    finally:
        table.on_train_end()  # closes it, also where training is broken off
        for callback in ours:
            callback.close()
    return {key: float(values[-1]) for key, values in model.history.history.items() if values}


def _described(run: Run) -> dict[str, Any]:
    """What callbacks may know of the experiment, of its manifest."""
    said = run.manifest
    settings = differences.settings(run, said) | {"seed": str(said.seed)}
    settings = {k: v for k, v in settings.items() if not k.startswith("callbacks")}
    versions = {f"version of {name}": version for name, version in said.versions.items()}
    return {
        "settings": settings,
        "about": {"backend": said.backend, "device": said.device, **versions},
    }


def _ours(given: Sequence[keras.callbacks.Callback]) -> list[callbacks.Callback]:
    """The callbacks that know of runs."""
    return [c for c in given if isinstance(c, callbacks.Callback)]


def _show_sampler(experiment: Experiment, run: Run) -> None:
    """Keep the recipe's sampler, if it has one, and show its samples."""
    recipe, model, data = experiment.recipe, experiment.model, experiment.data
    if model.sampler is None:
        return
    safetensors.write(run.sampler, model.sampler.arrays(), run.path)
    if model.data.is_image:
        image = pictures.grid(model.sample(64, seed=recipe.seed))
        if "stand-in" in data.name:
            image = pictures.caption(image, data.name)
        path = run.pictures / "samples.png"
        pictures.save(path, image, run.path, data=data.name, run=run.name)


def _results(training: Training, logs, seconds: float | None) -> dict[str, Any]:
    """What ``results.json`` holds, but for the time: the losses, the metrics on the test set.

    Args:
        training: that is over.
        logs: of its last epoch.
        seconds: that measuring may take, or None.
    """
    experiment, run = training.experiment, training.run
    recipe, model = experiment.recipe, experiment.model
    terms, measured = judged(experiment, training.metrics, seconds)
    distributed.leave()  # what is left to do is done by this process alone
    over_training = {k: v for c in _ours(recipe.callbacks) for k, v in c.results().items()}
    pictures = sorted(
        path.name
        for path in run.pictures.glob("*.png")
        if not re.search(r"-(epoch|step)-\d+$", path.stem)
    )
    steps = (model.history.epoch[-1] + 1 if model.history.epoch else 0) * len(experiment.batches)
    signs = Signs(steps)
    if steps >= least_steps(len(model.players)):
        with waiting("looking at what the model makes"):
            signs = look.take(model, experiment.data, experiment.evaluated, steps)
    return {
        "data": experiment.data.name,
        "epochs": model.history.epoch[-1] + 1 if model.history.epoch else 0,
        "train": {key: value for key, value in logs.items() if key in model.metrics_names},
        "validation": {
            name: logs[f"val_{name}"] for name in model.metrics_names if f"val_{name}" in logs
        },
        "test": terms,
        "metrics": measured,
        **({"over_training": over_training} if over_training else {}),
        "pictures": [f"{run.pictures.name}/{name}" for name in pictures],
        KEY: signs.json(),
    }
