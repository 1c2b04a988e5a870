"""What metrics say of themselves and measure."""

from __future__ import annotations

import math

from zoo.plugin.metric import Measured
from zoo.plugin.model import Model
from zoo.testing.checks.bench import Bench
from zoo.testing.checks.listing import check
from zoo.testing.checks.outcomes import Skipped, expect


@check("metrics")
def names_itself_and_its_needs(bench: Bench):
    """``name`` is what results call it, ``needs`` the abilities of a model that it uses.

    ``better`` says which values are; ``scales_with`` and ``per_example`` name settings that
    count something.
    """
    metric = bench.plugin
    name, needs = getattr(metric, "name", None), getattr(metric, "needs", None)
    expect(isinstance(name, str) and name, "it has no name: give it name = 'what results call it'")
    known = isinstance(needs, tuple) and all(ability in Model.abilities for ability in needs)
    expect(known, f"needs is a tuple of {', '.join(Model.abilities)}; it is {needs!r}")
    counts = [*metric.scales_with, *filter(None, [metric.per_example])]
    odd = [c for c in counts if c != "test" and type(getattr(metric, c, None)) is not int]
    sides = ("higher", "lower", "")
    expect(metric.better in sides, f"better is one of {sides}; it is {metric.better!r}")
    expect(not odd, f"it scales with {', '.join(odd)}: name settings that are whole numbers")


@check("metrics")
def measures_a_number(bench: Bench):
    """``measure`` gives a finite ``Measured`` that says how it was measured."""
    found = bench.measured()
    expect(isinstance(found, Measured), f"measure() gives {type(found).__name__}, not Measured")
    expect(math.isfinite(found.value), f"it measures {found.value}")
    expect(found.protocol, "its protocol is empty: say how the number is measured")


@check("metrics")
def measures_the_same_for_a_seed(bench: Bench):
    """Measuring twice with one seed gives one number."""
    try:
        values = [bench.measured().value for _ in range(2)]
    except Exception as error:
        raise Skipped("it does not measure: another check says why") from error
    same = values[0] == values[1] or values[0] != values[0]  # what is not finite is told above
    expect(same, f"with one seed it measures {values[0]} and {values[1]}")
