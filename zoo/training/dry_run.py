"""What a recipe would do: networks, players, moves, data, and how long it may take."""

from __future__ import annotations

import itertools
import time
from collections.abc import Generator
from dataclasses import dataclass

from zoo.config.recipe import Recipe
from zoo.datasets import Access, Batches
from zoo.engine.backends import backend
from zoo.plugin import declared
from zoo.runtime.console import counted, lasting
from zoo.runtime.keras import pinned
from zoo.training import planning
from zoo.training.chunks import Chunks
from zoo.training.evaluation import batches_of
from zoo.training.experiment import Experiment, prepare

TIMED_SECONDS = 2.0


@dataclass(frozen=True)
class Described:
    """What a dry run finds.

    Attributes:
        lines: for people; the last one is of the time.
        seconds: that the training is expected to take, without pictures and metrics.
    """

    lines: list[str]
    seconds: float


@pinned()
def describe(recipe: Recipe, access: Access, devices: int = 1) -> Described:
    """Prepare a recipe as for training, time a few steps, and describe it.

    Args:
        recipe: the experiment.
        access: where data may come from.
        devices: that would train it together.
    """
    experiment = prepare(recipe, access)
    model, data = experiment.model, experiment.data
    splits = ((name, getattr(data, name)) for name in ("train", "validation", "test"))
    counts = ", ".join(f"{name} {len(split):,}" for name, split in splits)
    lines = [
        f"model     {recipe.model}",
        f"data      {data.name}, {' x '.join(map(str, data.spec.shape))}: {counts}",
        *_sources(data),
        f"steps     {len(experiment.batches):,} an epoch, {counted(recipe.epochs, 'epoch')}, "
        f"batches of {recipe.dataset.batch_size}",
        "networks",
        *_networks(model),
        "players",
    ]
    for player, names in model.players.items():
        optimizer = type(model.optimizer.by_player[player]).__name__
        lines.append(f"  {player}: {optimizer} on {', '.join(names)}")
    for name, count in declared.idle(dict(model.networks.items()), model.players).items():
        lines.append(f"  nobody trains {name}, which has {count:,} trainable numbers")
    seconds, step, told = _estimate(experiment)
    lines += ["moves, in order", *_moves(model)]
    if devices > 1:
        lines += planning.planned(model, devices, recipe.dataset.batch_size, step)
    return Described([*lines, told], seconds)


def _sources(data):
    for name, shape in list(data.spec.sources.items())[1:]:
        unpaired = data.train.unpaired.get(name)
        pairs = "paired" if unpaired is None else f"unpaired, {len(unpaired):,} for training"
        yield f"source    {name}, {' x '.join(map(str, shape))}: {pairs}"


def _networks(model):
    for name, network in model.networks.items():
        weights = network.count_params()
        yield f"  {name}: {weights:,} parameters"
        for layer in getattr(network, "layers", [network]):
            shape = _shape(layer)
            yield f"    {type(layer).__name__:<20} {shape:<22} {layer.count_params():>12,}"


def _shape(layer):
    output = getattr(layer, "output", None)
    shapes = output if isinstance(output, (list, tuple)) else [output]
    return ", ".join(
        " x ".join(map(str, tensor.shape[1:])) for tensor in shapes if tensor is not None
    )


def _moves(model):
    for move, players in model.described_moves():
        times = f", {move.repeat} times a step on batches of their own" if move.repeat > 1 else ""
        for player, weights in players.items():
            terms = " + ".join(f"{_weight(weight)}{term}" for term, weight in weights.items())
            yield f"  {move.name}{times}: {player} minimizes {terms}"


def _weight(weight):
    if callable(weight):
        return "(scheduled) x "
    return "" if weight == 1 else f"{weight:g} x "


def _estimate(experiment: Experiment) -> tuple[float, float, str]:
    """Seconds of a step, measured, times the steps; those of a step; and the same in words.

    The weights that it moves are thrown away.
    """
    batches, validation = experiment.batches, batches_of(experiment.validation)
    step, made = _timed(_training(experiment))
    check, checked = _timed(_validating(experiment, validation)) if validation else (0.0, 0)
    total = (step * len(batches) + check * len(validation or ())) * experiment.recipe.epochs
    return (
        total,
        step,
        (
            f"time      about {lasting(total)} without pictures and metrics, from "
            f"{counted(made, 'training step')} and {counted(checked, 'validation step')} timed here"
        ),
    )


def _training(experiment: Experiment) -> Generator[int, None, None]:
    """Train on and on in chunks, as the loop does; after each, how many steps it had."""
    chunks = Chunks(experiment.batches, ())
    steps = backend.Steps(experiment.model, chunks.rows, chunks.most)
    try:
        for epoch in itertools.count():
            for chunk in chunks.of_epoch(epoch):
                began = time.perf_counter()
                steps.start(chunk.data, chunk.share)()
                chunks.took(chunk, time.perf_counter() - began)
                yield chunk.steps
    finally:
        steps.sync()


def _validating(experiment: Experiment, batches: Batches) -> Generator[int, None, None]:
    for made in itertools.count():
        experiment.model.test_on_batch(*batches[made % len(batches)])
        yield 1


def _timed(steps: Generator[int, None, None]) -> tuple[float, int]:
    """Seconds that a step takes, and how many were timed, after two that compile or trace."""
    for _ in range(2):
        next(steps)
    began, made = time.perf_counter(), 0
    for some in steps:
        made += some
        seconds = time.perf_counter() - began
        if seconds > TIMED_SECONDS:
            steps.close()
    return seconds / made, made
