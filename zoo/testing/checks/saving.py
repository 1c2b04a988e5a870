"""What weights in a file bring back."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import keras
import numpy as np

from zoo.testing.checks.bench import Bench, numbers
from zoo.testing.checks.listing import check
from zoo.testing.checks.outcomes import expect_close


@check()
def weights_in_a_file_give_the_same_outputs(bench: Bench):
    """A model saved and loaded into a new one gives the same terms and abilities."""
    model, again = bench.model, bench.built(seed=1)
    for variable in model.networks.variables:
        if keras.backend.is_float_dtype(variable.dtype):
            variable.assign(variable + 0.01)
    with _file() as path:
        model.save_weights(path)
        again.load_weights(path)
    again.seed = model.seed
    ours, theirs = (
        {**bench.terms(m, training=False), **bench.abilities(m)} for m in (model, again)
    )
    for name in ours:
        expect_close(ours[name], theirs[name], f"{name} before saving and after loading")


@check()
def resumed_training_equals_uninterrupted(bench: Bench):
    """Training on, after saving all and loading it into a new model, is as if never stopped."""

    def momentum():
        return keras.optimizers.SGD(0.01, momentum=0.9)

    bench.built()
    whole, resumed = bench.build(optimizer=momentum), bench.build(optimizer=momentum)
    for variable in resumed.networks.trainable_variables:  # so that loading has to do it
        variable.assign(np.zeros(variable.shape, "float32"))
    bench.step(whole)
    with _file() as path:
        whole.save_weights(path)
        resumed.load_weights(path)
    logs, again = (bench.step(model, 1) for model in (whole, resumed))
    for term in logs:
        expect_close(logs[term], again[term], f"{term} without and with a break")
    for a, b in zip(whole.trainable_variables, resumed.trainable_variables, strict=True):
        expect_close(numbers(a), numbers(b), f"weights {a.path} without and with a break")


@contextlib.contextmanager
def _file():
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "model.weights.h5"
