"""A recipe, trained as ``zoo run`` trains it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass

import keras

import zoo
from benchmarks import cases
from benchmarks.clock import EPOCHS, Clock, Timer
from zoo import training
from zoo.datasets import Data, Dataset, Split


@dataclass(frozen=True)
class Noise(Dataset):
    """Pictures in memory.

    Attributes:
        pictures: to train on.
    """

    pictures: int = 128

    def load(self, access=None) -> Data:
        train, few = cases.pictures(self.pictures), cases.pictures(8)
        return Data("noise", zoo.DataSpec(cases.SHAPE), Split(train), Split(few), Split(few))


def measure(case: cases.Case, clock: Clock, free_data: bool = False) -> None:
    """Train until the clock has enough.

    Args:
        case: what.
        clock: told of steps and epochs.
        free_data: give the same batch every time, which costs nothing.
    """
    model = cases.model(case)
    recipe = zoo.Recipe(
        model=model,
        dataset=Noise(case.batch_size, case.pictures),
        optimizers={
            player: keras.optimizers.Adam(case.rate, beta_1=case.beta_1)
            for player in model.players()
        },
        callbacks=[Timer(clock, case.pictures, case.steps)],
        epochs=EPOCHS,
    )

    def prepared(experiment):
        if free_data:
            _freeze(experiment.batches)

    with tempfile.TemporaryDirectory() as folder:
        training.train(recipe, runs_folder=folder, prepared=prepared, say=lambda line: None)


def _freeze(batches) -> None:
    """Have the batches give the first one every time."""
    first, cls = batches[0], type(batches)
    batches.__class__ = type("Frozen", (cls,), {"__getitem__": _first(first)})


def _first(batch):
    def get(self, index):
        self._complete |= index + self._skipped == len(self) - 1
        return batch

    return get
