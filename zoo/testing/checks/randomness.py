"""One seed is one experiment."""

from __future__ import annotations

import numpy as np

from zoo.testing.checks.bench import Bench, numbers
from zoo.testing.checks.listing import check
from zoo.testing.checks.outcomes import expect, expect_close


@check(needs=("adapt",))
def adapts_the_same_for_a_seed(bench: Bench):
    """Two builds from one seed adapt to the same examples alike."""
    first, second = bench.model, bench.built()
    for a, b in zip(first.variables, second.variables, strict=True):
        expect_close(numbers(a), numbers(b), f"{a.path}, adapted twice", atol=0)


@check()
def one_seed_is_one_start(bench: Bench):
    """Two builds from one seed have the same weights and the same terms."""
    first, second = bench.model, bench.built()
    for a, b in zip(first.trainable_variables, second.trainable_variables, strict=True):
        expect_close(numbers(a), numbers(b), f"initial weights {a.path} of two builds", atol=0)
    ours, theirs = (bench.terms(model) for model in (first, second))
    for term in ours:
        expect_close(ours[term], theirs[term], f"{term} of two builds: noise comes from rng")


@check()
def another_seed_is_another_start(bench: Bench):
    """Another seed gives other initial weights."""
    first, other = bench.model, bench.built(seed=1)
    pairs = zip(first.trainable_variables, other.trainable_variables, strict=True)
    expect(
        any(not np.array_equal(numbers(a), numbers(b)) for a, b in pairs),
        "the initial weights are the same for every seed: give layers a random initializer "
        "without a seed, such as Keras's default",
    )
