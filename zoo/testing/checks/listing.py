"""The list of checks, to which each adds itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.testing.checks.bench import Bench
from zoo.testing.checks.cases import Case

ALL = ("models", "datasets", "metrics", "features")


@dataclass(frozen=True)
class Check:
    """One check: a function of a ``Bench`` that raises ``CheckFailed`` or ``Skipped``.

    Attributes:
        function: what is run; its docstring says what is asked of a plugin.
        kinds: the kinds of plugin that it is for.
        needs: abilities that a model must have for it.
        when: what else a plugin must say of itself for it: a function of the ``Case``.
    """

    function: Callable[[Bench], None]
    kinds: tuple[str, ...]
    needs: tuple[str, ...]
    when: Callable[[Any], Any]

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.__name__

    @property
    def about(self) -> str:
        """What is asked, in one line."""
        return (self.function.__doc__ or "").partition("\n")[0]

    def applies(self, case: Case) -> bool:
        """Whether the check is for such a plugin."""
        plugin: Any = case.plugin
        able = case.kind in self.kinds and all(plugin.can(need) for need in self.needs)
        return able and bool(self.when(case))


CHECKS: list[Check] = []
"""All checks, in the order in which they are run."""


def check(
    *kinds: str, needs: Sequence[str] = (), when: Callable[[Any], Any] = lambda case: True
) -> Callable[[Callable], Callable]:
    """Add a function to the list, for models unless it names other kinds."""

    def add(function):
        CHECKS.append(Check(function, kinds or ("models",), tuple(needs), when))
        return function

    return add
