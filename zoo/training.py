"""A recipe becomes a run; the same on every backend."""

from __future__ import annotations

import dataclasses
import random
import shutil
import time
import tokenize
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import keras

from zoo import callbacks, evaluation, pictures, runs, samplers
from zoo.configs import copy_of
from zoo.datasets import Access, Batches, Data, Split
from zoo.datasets.pipeline import binarize_once
from zoo.engine.base import GenerativeModel
from zoo.engine.build import build
from zoo.errors import RunFailed, ZooError
from zoo.manifest import describe
from zoo.precision import precision
from zoo.recipe import Recipe
from zoo.runs import Run

EVALUATION_BATCH = 250  # divides the usual sizes; results do not depend on it


@dataclass
class Experiment:
    """A recipe with its data loaded and its model built and compiled.

    Attributes:
        recipe: the recipe.
        data: its data.
        evaluated: the same, with validation and test binarized once where the dataset binarizes.
        model: compiled, untrained.
        batches: the training batches of an epoch, each of all repeats of a step.
    """

    recipe: Recipe
    data: Data
    evaluated: Data
    model: GenerativeModel
    batches: Batches

    @property
    def validation(self) -> Split:
        """Validation examples, as evaluated."""
        return self.evaluated.validation

    @property
    def test(self) -> Split:
        """Test examples, as evaluated."""
        return self.evaluated.test


def prepare(recipe: Recipe, access: Access | None = None) -> Experiment:
    """Load the data, build the model, check every name: all but train.

    Raises:
        ZooError: whatever is wrong with the recipe or its data.
    """
    # For what Keras draws itself, such as weights of layers that name no initializer: its
    # own seeds come from here. keras.utils.set_random_seed would import TensorFlow.
    random.seed(recipe.seed)
    data = recipe.dataset.load(access or Access())
    with precision(recipe.precision):
        model = build(
            recipe.model,
            data.spec,
            weights=recipe.weights,
            networks=recipe.networks,
            seed=recipe.seed,
        )
    model.compile(optimizers=_fresh(recipe.optimizers), ema=recipe.ema)
    if recipe.sampler and not (model.can("encode") and model.can("decode")):
        raise ZooError(
            f"recipe.sampler needs a model that can encode and decode, and {model.where} cannot"
        )
    binarize = getattr(recipe.dataset, "binarize", None)
    evaluated = evaluation.as_evaluated(data, binarize, recipe.seed)
    evaluation.check(recipe.metrics, model, evaluated, sampler=recipe.sampler is not None)
    train = data.train
    if binarize == "fixed":
        train = dataclasses.replace(train, x=binarize_once(train.x, recipe.seed, "train"))
    batches = Batches(
        train,
        recipe.dataset.batch_size,
        seed=recipe.seed,
        shuffle=True,
        binarize=binarize == "dynamic",
        repeats=model.repeats,
        augment=recipe.augment,
    )
    return Experiment(recipe, data, evaluated, model, batches)


def _fresh(optimizers):
    """Copies, so that training a recipe twice starts twice from the beginning."""
    return {
        player: copy_of(optimizer)
        if isinstance(optimizer, keras.optimizers.Optimizer)
        else optimizer
        for player, optimizer in optimizers.items()
    }


def train(
    recipe: Recipe,
    *,
    name: str = "recipe",
    source: str | Path | None = None,
    runs_folder: str | None = None,
    access: Access | None = None,
    prepared: Callable[[Experiment], None] = lambda experiment: None,
    begun: Callable[[Run], None] = lambda run: None,
    say: Callable[[str], None] = lambda line: None,
) -> Run:
    """Train what a recipe says, in a new run folder.

    Args:
        recipe: the experiment.
        name: what the run is called after.
        source: the recipe's file, copied into the run.
        runs_folder: folder for runs; default ``ZOO_RUNS``, else ``./runs``.
        access: where data may come from.
        prepared: called when all is checked, before the run's folder is made.
        begun: called with the run when its folder is made.
        say: told one line at a time what a person should know.

    Returns:
        The finished run: its ``results.json`` holds the numbers.

    Raises:
        ZooError: something is wrong with the recipe or its data; nothing was trained.
        RunFailed: a term is no longer finite. The weights kept are those of the epoch before.
        KeyboardInterrupt: Ctrl-C, after a checkpoint.
    """
    experiment = prepare(recipe, access)
    prepared(experiment)
    metrics = [
        metric.prepare(experiment.evaluated, access or Access(), runs_folder)
        for metric in recipe.metrics
    ]
    run = Run.create(runs.root(runs_folder), name)
    text = ""
    if source:
        with tokenize.open(source) as file:  # in the encoding that the file declares
            text = file.read()
        shutil.copyfile(source, run.recipe)
    run.update(**describe(experiment))
    begun(run)
    began = time.perf_counter()
    try:
        logs = _fit(experiment, run, name, text, say)
        _fit_sampler(experiment, run)
        seconds = time.perf_counter() - began
        results = _results(experiment, metrics, run, logs, seconds)
    except KeyboardInterrupt:
        run.update(status="interrupted")
        raise
    except BaseException:
        run.update(status="failed")
        raise
    run.write_json("results.json", results)
    run.update(status="finished", finished_in_seconds=round(seconds, 1), sha256=run.hashes())
    return run


def _fit(experiment: Experiment, run: Run, name: str, text: str, say) -> dict[str, float]:
    """Train, and return the last epoch's logs."""
    recipe, model = experiment.recipe, experiment.model
    context = callbacks.Context(
        run=run,
        recipe_name=name,
        recipe_text=text,
        data=experiment.data,
        batch_size=recipe.dataset.batch_size * model.repeats,
        epochs=recipe.epochs,
        steps=len(experiment.batches),
        validation=experiment.validation,
        say=say,
    )
    checkpoint = callbacks.Checkpoint()
    progress = callbacks.Progress()
    averaged = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if recipe.ema else []
    all_callbacks = [
        _Finite(run),  # before the checkpoint, which would write over the last good weights
        checkpoint,  # before the averages are swapped in: a run goes on from the weights
        callbacks.Interruption(checkpoint),
        *averaged,
        *recipe.callbacks,
        keras.callbacks.CSVLogger(str(run.log)),
        progress,
    ]
    ours = [c for c in all_callbacks if isinstance(c, callbacks.Callback)]
    for callback in ours:
        callback.context = context
    try:
        history = model.fit(
            experiment.batches,
            epochs=recipe.epochs,
            shuffle=False,  # the batches are in an order from the seed already
            validation_data=_evaluation(experiment.validation),
            callbacks=all_callbacks,
            verbose=0,
        )
    finally:
        for callback in ours:
            callback.close()
    return {key: float(values[-1]) for key, values in history.history.items() if values}


def _fit_sampler(experiment: Experiment, run: Run) -> None:
    """Fit the recipe's sampler, if it has one, and show its samples."""
    recipe, model, data = experiment.recipe, experiment.model, experiment.data
    if recipe.sampler is None:
        return
    examples = data.train.first(samplers.MOST)
    codes = model.encode(examples.x, labels=examples.y)
    model.sampler = recipe.sampler.fit(codes, recipe.seed)
    model.sampler.save(run.sampler)
    if model.data.is_image:
        image = pictures.grid(model.sample(64, seed=recipe.seed))
        if "stand-in" in data.name:
            image = pictures.caption(image, data.name)
        pictures.save(run.pictures / "samples.png", image, data=data.name, run=run.name)


class _Finite(keras.callbacks.Callback):
    """Breaks off a run at the end of the first epoch that has a term which is not finite."""

    def __init__(self, run: Run):
        super().__init__()
        self._run = run

    def on_epoch_end(self, epoch, logs=None):
        broken = [(key, value) for key, value in (logs or {}).items() if not isfinite(value)]
        if broken:
            terms = ", ".join(f"{key} {value}{_origin(self.model, key)}" for key, value in broken)
            kept = f"the weights of epoch {epoch} are kept" if epoch else "no weights are kept"
            raise RunFailed(
                f"run {self._run.name}: epoch {epoch + 1} ended with {terms}; {kept}. "
                "A smaller learning rate may help"
            )


def _origin(model: GenerativeModel, logged: str) -> str:
    """The method that a logged term is from, as ``" (from VAE.elbo)"``; empty for a total."""
    player, _, term = logged.removeprefix("val_").partition("/")
    for move, own in model.described_moves():
        if term in own.get(player, ()):
            return f" (from {model.where}.{move.name})"
    return ""


def _evaluation(split: Split) -> Batches:
    return Batches(split, EVALUATION_BATCH, seed=0)


def _results(experiment: Experiment, metrics, run: Run, logs, seconds: float) -> dict[str, Any]:
    """What ``results.json`` holds: the losses, the metrics on the test set, the time."""
    recipe, model, test = experiment.recipe, experiment.model, experiment.test
    terms = model.evaluate(_evaluation(test), verbose=0, return_dict=True)
    binarized = bool(getattr(recipe.dataset, "binarize", None))
    measured = evaluation.measure(metrics, model, experiment.evaluated, recipe.seed, binarized)
    pictures = sorted(
        path.name for path in run.pictures.glob("*.png") if "-epoch-" not in path.name
    )
    return {
        "data": experiment.data.name,
        "epochs": model.history.epoch[-1] + 1 if model.history.epoch else 0,
        "train": {key: value for key, value in logs.items() if key in model.metrics_names},
        "validation": {
            key.removeprefix("val_"): value for key, value in logs.items() if key.startswith("val_")
        },
        "test": {key: float(value) for key, value in terms.items()},
        "metrics": measured,
        "seconds": round(seconds, 1),
        "pictures": [f"{run.pictures.name}/{name}" for name in pictures],
    }
