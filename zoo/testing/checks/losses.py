"""What the losses return."""

from __future__ import annotations

import numpy as np

from zoo.testing.bench import N, Bench
from zoo.testing.suite import check, expect, expect_close


@check()
def terms_are_finite(bench: Bench):
    """Every term of the first step is a finite number."""
    for term, value in bench.terms(bench.model, N).items():
        expect(np.isfinite(value).all(), f"{term} of the first step is {value.ravel()[:5]}")


@check()
def terms_are_scalars_or_one_value_an_example(bench: Bench):
    """A term's shape is () or (n,) for every n."""
    for n in (N, N + 1):
        for term, value in bench.terms(bench.model, n).items():
            expect(
                value.shape in ((), (n,)),
                f"{term} is a scalar or one value an example, shape ({n},) for {n} of them; "
                f"it came as {value.shape}",
            )


@check()
def examples_count_alike(bench: Bench):
    """Terms with a value an example have the same mean whatever the batch size."""
    model = bench.model
    values = bench.terms(model, N + 1, training=False)
    each = [term for term, value in values.items() if value.shape == (N + 1,)]
    if len(each) == len(values):
        each.append("loss")
    x, y = bench.batch(N + 1)
    ragged, single = (
        model.evaluate(x, y, batch_size=size, verbose=0, return_dict=True) for size in (N, 1)
    )
    for term in each:
        expect_close(
            ragged[term],
            single[term],
            f"{term} of {N + 1} examples, in batches of {N} and of 1 (a term that is of the "
            "batch as a whole is a scalar)",
        )
