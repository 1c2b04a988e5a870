"""The list of checks, and the ways to run it."""

from __future__ import annotations

import functools
import time
import unittest
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.errors import RunFailed, ZooError, blaming, shortened, unknown
from zoo.testing.bench import Bench
from zoo.testing.cases import Case, as_case

ALL = ("models", "datasets", "metrics")


class CheckFailed(RunFailed, AssertionError):
    """A plugin breaks what it promised; the message is for its author."""


class Skipped(ZooError, unittest.SkipTest):
    """A check has no meaning for this plugin here. pytest counts it as skipped."""


@dataclass(frozen=True)
class Check:
    """One check: a function of a ``Bench`` that raises ``CheckFailed`` or ``Skipped``.

    Attributes:
        function: what is run; its docstring says what is asked of a plugin.
        kinds: the kinds of plugin that it is for.
        needs: abilities that a model must have for it.
    """

    function: Callable[[Bench], None]
    kinds: tuple[str, ...]
    needs: tuple[str, ...]

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.__name__

    @property
    def about(self) -> str:
        """What is asked, in one line."""
        return (self.function.__doc__ or "").partition("\n")[0]

    def applies(self, plugin: Any, kind: str) -> bool:
        """Whether the check is for such a plugin."""
        return kind in self.kinds and all(plugin.can(ability) for ability in self.needs)


@dataclass(frozen=True)
class Result:
    """What came of one check.

    Attributes:
        check: its name.
        status: ``"passed"``, ``"failed"`` or ``"skipped"``; ``"expected"`` for a failure
            that the case names, and ``"stale"`` for one that it names and that passes.
        reason: why it failed or was skipped; empty where it passed.
        seconds: how long it took.
    """

    check: str
    status: str
    reason: str
    seconds: float

    @property
    def bad(self) -> bool:
        """Whether a person has to do something about it."""
        return self.status in ("failed", "stale")


CHECKS: list[Check] = []
"""All checks, in the order in which they are run."""


def check(*kinds: str, needs: Sequence[str] = ()) -> Callable[[Callable], Callable]:
    """Add a function to the list, for models unless it names other kinds."""

    def add(function):
        CHECKS.append(Check(function, kinds or ("models",), tuple(needs)))
        return function

    return add


def expect(holds: Any, message: str) -> None:
    """Fail the check with a message unless something holds."""
    if not holds:
        raise CheckFailed(message)


def expect_close(
    ours: Any, theirs: Any, message: str, rtol: float = 1e-4, atol: float = 1e-5
) -> None:
    """Fail the check unless two arrays are the same up to rounding; NaN equals NaN."""
    ours, theirs = np.asarray(ours, "float64"), np.asarray(theirs, "float64")
    expect(ours.shape == theirs.shape, f"{message}: shapes {ours.shape} and {theirs.shape}")
    if not np.allclose(ours, theirs, rtol=rtol, atol=atol, equal_nan=True):
        with np.errstate(invalid="ignore"):
            apart = np.nanmax(np.abs(ours - theirs))
        raise CheckFailed(f"{message}: they differ by up to {apart:.2g}")


def checks_of(plugin: Any) -> list[Check]:
    """The checks that apply to a plugin or a ``Case``, in order."""
    from zoo.testing import checks

    case = as_case(plugin)
    known = [one.name for one in checks.CHECKS]
    for name in case.expected_failures:
        if name not in known:
            raise unknown("check", name, known, where=f"expected failures of {case.called}")
    return [one for one in checks.CHECKS if one.applies(case.plugin, case.kind)]


def run_checks(plugin: Any, *, only: Sequence[str] = ()) -> list[Result]:
    """Run the checks that apply to a plugin, and say what came of each.

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
    applying = checks_of(case)
    for name in only:
        if name not in [one.name for one in applying]:
            raise unknown("check", name, [one.name for one in applying], where=case.called)
    bench = Bench(case)
    return [_run(one, bench) for one in applying if not only or one.name in only]


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
