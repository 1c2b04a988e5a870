"""That the compilers of TensorFlow and JAX can trace it, and give the same numbers."""

from __future__ import annotations

import numpy as np

from zoo.errors import ZooError
from zoo.testing.bench import Bench
from zoo.testing.suite import Skipped, check, expect, expect_close


@check()
def training_steps_compile(bench: Bench):
    """Compiled steps have the losses of steps that are not compiled."""
    model = bench.model
    eager = [bench.step(model)["loss"] for _ in range(3)]
    expect_close(bench.compiled_losses, eager, "losses of steps, compiled and not")


@check()
def abilities_compile(bench: Bench):
    """Compiled abilities give what they give otherwise; pictures are cut to [0, 1]."""
    model = bench.model
    x, labels = bench.batch(5)
    try:
        eager = bench.abilities()
    except ZooError as error:
        raise Skipped("an ability fails before it is compiled: another check says why") from error
    compiled = {}
    for ability, found in eager.items():
        if found.shape[:1] != (5,):
            raise Skipped(f"{ability} has a wrong shape: another check says so")
        if ability == "sample":
            compiled[ability] = model.sample(5, seed=1, labels=labels)
        elif ability == "decode":
            compiled[ability] = model.decode(eager["encode"], labels=labels)
        elif ability == "classify":
            compiled[ability] = model.classify(x)
        elif ability == "log_likelihood":
            compiled[ability] = model.log_likelihood(x, seed=1, labels=labels)
        else:
            compiled[ability] = getattr(model, ability)(x, labels=labels)
    for ability, found in compiled.items():
        same = eager[ability]
        if ability in ("sample", "reconstruct", "decode") and bench.data.is_image:
            same = model._to_unit(same)
            expect(0 <= found.min() <= found.max() <= 1, f"pictures of {ability} leave [0, 1]")
        if ability != "log_likelihood":  # whose noise has a purpose of its own there
            expect_close(found, same, f"{ability}, compiled and not")
        expect(np.isfinite(found).all(), f"{ability}, compiled, gives numbers that are not finite")
