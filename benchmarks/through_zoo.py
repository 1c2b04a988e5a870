"""A recipe, trained as ``zoo run`` trains it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass

import keras

import zoo
from benchmarks import cases
from benchmarks.clock import EPOCHS, Clock, Timer
from zoo import Dataset
from zoo.datasets import Data, Split
from zoo.training.chunks import Chunks


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


def measure(case: cases.Case, clock: Clock) -> None:
    """Train at each turn of the clock."""
    model = cases.model(case)
    recipe = zoo.Recipe(
        model=model,
        dataset=Noise(case.pictures, batch_size=case.batch_size),
        optimizers={
            player: keras.optimizers.Adam(case.rate, beta_1=case.beta_1)
            for player in model.players()
        },
        callbacks=[Timer(clock, case.pictures, case.steps)],
        epochs=EPOCHS,
        precision=keras.config.dtype_policy().name,
    )
    _time_waiting(clock)
    with tempfile.TemporaryDirectory() as folder:
        zoo.train(recipe, runs_folder=folder, say=lambda line: None)


def _time_waiting(clock: Clock) -> None:
    """Have the clock read how long the steps of a training wait for their chunks."""
    plain = Chunks.of_epoch

    def timed(self, epoch, start=0):
        chunks, over = plain(self, epoch, start), object()
        while True:
            with clock.waiting():
                chunk = next(chunks, over)
            if chunk is over:
                return
            yield chunk

    Chunks.of_epoch = timed  # type: ignore[method-assign]  # in this process alone
