"""What the losses return."""

from __future__ import annotations

import dataclasses

import numpy as np
from keras import ops

from zoo.plugin.model import Batch
from zoo.testing.checks.bench import Bench, N
from zoo.testing.checks.listing import check
from zoo.testing.checks.outcomes import expect, expect_close


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


@check(when=lambda case: case.plugin.sources)
def every_source_counts(bench: Bench):
    """Each source that a model says it needs changes some term."""
    model = bench.model
    before = bench.evaluated(model, N, training=False)[0]
    for name in bench.plugin.sources:

        def dimmed(batch, name=name):
            return Batch.of({**batch.sources, name: 0.5 * batch.sources[name]}, batch.labels)

        after = bench.evaluated(model, N, training=False, change=dimmed)[0]
        expect(
            any(not np.array_equal(after[term], value) for term, value in before.items()),
            f"no term depends on batch.{name}, which sources names: leave it out there, so that "
            "the model takes data without it",
        )


@check(when=lambda case: case.plugin.missing_labels and (not case.data or case.data.classes))
def missing_labels_leave_terms_finite(bench: Bench):
    """A model that takes missing labels has finite terms where some are -1, and where all are."""
    model = bench.model
    for labels in ([-1, 0] * N, [-1] * 2 * N):
        missing = ops.convert_to_tensor(np.array(labels[:N], "int32"))

        def without(batch, labels=missing):
            return dataclasses.replace(batch, labels=labels)

        for term, value in bench.evaluated(model, N, training=True, change=without)[0].items():
            expect(
                np.isfinite(value).all(),
                f"{term} is {value.ravel()[:5]} for the labels {labels[:N]}: a mean over the "
                "examples with a label divides by 0 where there are none",
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
