"""What can come of a check, and the ways to say so."""

from __future__ import annotations

import unittest
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.errors import RunFailed, ZooError


class CheckFailed(RunFailed, AssertionError):
    """A plugin breaks what it promised; the message is for its author."""


class Skipped(ZooError, unittest.SkipTest):
    """A check has no meaning for this plugin here. pytest counts it as skipped."""


@dataclass(frozen=True)
class Result:
    """The result of one check.

    Attributes:
        check: its name.
        status: ``"passed"``, ``"failed"`` or ``"skipped"``; ``"expected"`` for a failure
            that the case names, and ``"stale"`` for one that it names and that passes;
            ``"not applicable"`` for a check that is not for such a plugin, and was not run.
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
