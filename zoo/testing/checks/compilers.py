"""That the compilers of TensorFlow and JAX can trace it, and give the same numbers."""

from __future__ import annotations

from zoo.errors import CodeFailed, ZooError
from zoo.plugin import pixels, views
from zoo.runtime.blame import blaming
from zoo.testing.checks.bench import Bench, N
from zoo.testing.checks.listing import check
from zoo.testing.checks.loops import python_loops
from zoo.testing.checks.outcomes import expect, expect_close


@check()
def training_steps_compile(bench: Bench):
    """Compiled steps have the losses of steps that are not compiled."""
    model = bench.model
    eager = [bench.step(model)["loss"] for _ in range(2)]
    expect_close(bench.compiled_losses[:2], eager, "losses of steps, compiled and not")


@check()
def abilities_compile(bench: Bench):
    """Compiled abilities and views give what they give otherwise, noise of loops too."""
    with python_loops():
        model, eager = bench.model, bench.abilities()
    x, labels = bench.batch(N)
    calls = {
        "sample": lambda: model.sample(N, seed=1, labels=labels),
        "decode": lambda: model.decode(eager["encode"], labels=labels),
        "classify": lambda: model.classify(x),
        "log_likelihood": lambda: model.log_likelihood(x, seed=1, labels=labels),
        "reconstruct": lambda: model.reconstruct(x, labels=labels),
        "encode": lambda: model.encode(x, labels=labels),
        "posterior": lambda: model.posterior(x, seed=1, labels=labels)["draw"],
    }
    for ability, same in eager.items():
        try:
            with blaming(f"{model.where}.{ability}, compiled"):
                found = calls[ability]()
        except CodeFailed:
            raise
        except ZooError:  # it gives what no ability may: another check says what
            continue
        if ability in ("sample", "reconstruct", "decode") and bench.data.is_image:
            same = pixels.to_unit(same, model._range)
            expect(0 <= found.min() <= found.max() <= 1, f"pictures of {ability} leave [0, 1]")
        if ability in ("sample", "log_likelihood"):
            hint = " (noise in a loop is that of rng.at(i), where i is what the loop counts)"
        else:
            hint = ""
        expect_close(found, same, f"{ability}, compiled and not{hint}")
    for name, view in views.of(bench.plugin).items():
        with python_loops():
            viewed = bench.view(name)
        with blaming(f"{model.where}, view {name!r}, compiled"):
            of_x = {"examples": {"x": x}, "batch": {"x": bench.given(N)[0]}}
            found = model.view(name, **of_x.get(view.inputs, {"n": N}), seed=1, labels=labels)
        columns = found if isinstance(found, dict) else {name: found}
        for column, same in viewed.items():
            same = pixels.to_unit(same, model._range)
            expect_close(columns[column], same, f"view {name!r}, compiled and not")
