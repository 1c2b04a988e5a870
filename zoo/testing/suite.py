"""The ways to run the checks."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any

from zoo.errors import ZooError, shortened, unknown
from zoo.runtime.blame import blaming
from zoo.testing.checks import CHECKS
from zoo.testing.checks.bench import Bench
from zoo.testing.checks.cases import Case, as_case
from zoo.testing.checks.listing import Check
from zoo.testing.checks.outcomes import Result, Skipped


def checks_of(plugin: Any) -> list[Check]:
    """The checks that apply to a plugin or a ``Case``, in order; those that it names, if any."""
    case = as_case(plugin)
    known = [one.name for one in CHECKS]
    for where, names in (("expected failures", case.expected_failures), ("only", case.only)):
        for name in names:
            if name not in known:
                raise unknown("check", name, known, where=f"{where} of {case.called}")
    wanted = case.only or known
    return [one for one in CHECKS if one.name in wanted and one.applies(case)]


def run_checks(plugin: Any, *, only: Sequence[str] = ()) -> list[Result]:
    """Run every check for this kind of plugin, and return one result per check.

    Args:
        plugin: an instance of a model, dataset or metric, or a ``Case``.
        only: names of the checks to run; all by default.

    Raises:
        ZooError: it is no plugin, or a name is of no check.

    Example:

    >>> any(result.bad for result in run_checks(MyModel()))
    False
    """
    case = as_case(plugin)
    applying, bench = checks_of(case), Bench(case)
    known = [one for one in CHECKS if case.kind in one.kinds]
    for name in only:
        if name not in [one.name for one in known]:
            raise unknown("check", name, [one.name for one in known], where=case.called)
    wanted = only or case.only or [one.name for one in known]
    return [
        _run(one, bench) if one in applying else Result(one.name, "not applicable", "", 0.0)
        for one in known
        if one.name in wanted
    ]


def _run(one: Check, bench: Bench) -> Result:
    began = time.perf_counter()
    status, reason = "passed", ""
    try:
        _call(one, bench)
    except Skipped as skipped:
        status, reason = "skipped", str(skipped)
    except ZooError as failure:
        status, reason = "failed", shortened(str(failure), 600)
    known = bench.case.expected_failures.get(one.name)
    if known is not None and status == "failed":
        status, reason = "expected", f"{known} ({reason})"
    elif known is not None and status == "passed":
        status, reason = "stale", f"expected to fail ({known}), and passes: expect it no longer"
    return Result(one.name, status, reason, time.perf_counter() - began)


def _call(one: Check, bench: Bench) -> None:
    """Run a check; what the plugin's code raises is told as that."""
    with blaming(bench.case.called):
        one.function(bench)


class Bound:
    """A check with its case: call it."""

    def __init__(self, one: Check, case: Case):
        self.check, self.case = one, case

    def __call__(self) -> None:
        """Run it; raises ``CheckFailed`` or ``Skipped``."""
        _call(self.check, _bench(self.case))

    def __repr__(self) -> str:
        return f"{self.case.called}-{self.check.name}"


@functools.lru_cache(maxsize=1)  # the tests of one case come one after the other
def _bench(case: Case) -> Bench:
    return Bench(case)


def parametrize_with_checks(plugins: Sequence[Any]) -> Callable:
    """Make one pytest test of each check of each plugin.

    Args:
        plugins: instances of models, datasets or metrics, or ``Case`` objects.

    Returns:
        A decorator of a test function that takes ``check`` and calls it. Checks that a
        case expects to fail are marked so, and fail the test if they pass.
    """
    import pytest

    parameters = []
    for case in map(as_case, plugins):
        for one in checks_of(case):
            known = case.expected_failures.get(one.name)
            marks = [] if known is None else [pytest.mark.xfail(reason=known, strict=True)]
            bound = Bound(one, case)
            parameters.append(pytest.param(bound, id=repr(bound), marks=marks))
    return pytest.mark.parametrize("check", parameters)
