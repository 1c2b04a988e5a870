"""What weights in a file bring back."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import keras
import numpy as np

from zoo.testing.bench import N, Bench, numbers
from zoo.testing.suite import check, expect_close


@check()
def weights_in_a_file_give_the_same_outputs(bench: Bench):
    """A model saved and loaded into a new one gives the same terms and abilities."""
    model, again = bench.model, bench.built(seed=1)
    bench.step(model)
    with _file() as path:
        model.save_weights(path)
        again.load_weights(path)
    again.seed = model.seed
    ours, theirs = (
        {**bench.terms(m, N, training=False), **bench.abilities(m)} for m in (model, again)
    )
    for name in ours:
        expect_close(ours[name], theirs[name], f"{name} before saving and after loading")


@check()
def resumed_training_equals_uninterrupted(bench: Bench):
    """Two epochs are one, saving all, loading it into a new model, and one more."""

    def momentum():
        return keras.optimizers.SGD(0.01, momentum=0.9)

    bench.built()
    whole, resumed = bench.build(optimizer=momentum), bench.build(optimizer=momentum)
    for variable in resumed.networks.trainable_variables:  # so that loading has to do it
        variable.assign(np.zeros(variable.shape, "float32"))
    with _file() as path:
        for place in range(4):
            if place == 2:
                whole.save_weights(path)
                resumed.load_weights(path)
            logs = bench.step(whole, place)
            if place >= 2:
                again = bench.step(resumed, place)
    for term in logs:
        expect_close(logs[term], again[term], f"{term} without and with a break")
    for a, b in zip(whole.trainable_variables, resumed.trainable_variables, strict=True):
        expect_close(numbers(a), numbers(b), f"weights {a.path} without and with a break")


@contextlib.contextmanager
def _file():
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "model.weights.h5"
