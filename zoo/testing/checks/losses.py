"""What the losses return."""

from __future__ import annotations

import numpy as np

from zoo.testing.harness.bench import Bench, N
from zoo.testing.harness.listing import check
from zoo.testing.harness.outcomes import expect, expect_close


@check()
def terms_are_finite(bench: Bench):
    """Every term of the first step is a finite number."""
    for term, value in bench.terms(bench.model).items():
        expect(np.isfinite(value).all(), f"{term} of the first step is {value.ravel()[:5]}")


@check()
def terms_are_scalars_or_one_value_an_example(bench: Bench):
    """A term's shape is () or (n,) for every n."""
    for n in (N, 1):
        for term, value in bench.terms(bench.model, n).items():
            expect(
                value.shape in ((), (n,)),
                f"{term} is a scalar or one value an example, shape ({n},) for {n} of them; "
                f"it came as {value.shape}",
            )


@check()
def examples_count_alike(bench: Bench):
    """A value of one example does not depend on the others of its batch, in inference."""
    model = bench.model
    together = bench.terms(model, N, training=False)
    alone = [bench.terms(model, 1, i, training=False) for i in range(N)]
    for term, values in together.items():
        if values.shape == (N,):
            expect_close(
                np.concatenate([np.reshape(one[term], (-1,))[:1] for one in alone]),
                values,
                f"{term} of {N} examples, alone and together (a term that is of the batch as a "
                "whole is a scalar)",
            )
