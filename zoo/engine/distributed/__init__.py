"""Processes that train one model together, each on its rows of every batch.

A process makes the step of its rows. Before any optimizer moves, all take the means over the whole
batch in one call: of the terms, the totals, the gradients, and what the pass assigned, such as the
averages of batch normalization. From then on all compute the same, so their states stay equal, bit
for bit. Alone, a process comes here for nothing: ``team`` is None.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np

    from zoo.runtime.ranks import Rank


class Team(Protocol):
    """What a backend knows of the processes.

    Attributes:
        rank: the place of this process.
    """

    rank: Rank

    def mean(self, x, weight: float):
        """The sum over the processes of ``weight * x``, float32; differentiable, also twice."""

    def total(self, array: np.ndarray) -> np.ndarray:
        """The sum over the processes of an array of the host."""

    def is_lost(self, error: Exception) -> bool:
        """Whether an error says that another process has ended or does not answer."""

    def leave(self) -> None:
        """Let go of what is open."""


team: Team | None = None
"""The processes that this one trains with; None where it trains alone."""


devices = 1
"""How many compute together."""


batch_norm: str | None = None
"""``"synchronized"`` or ``"per-device"``: over what batch normalization takes its moments where
several processes train. None where nobody has said: synchronized, or as the run has it."""


def join(rank: Rank, backend: str) -> None:
    """Meet the other processes, before Keras is imported. It waits for all of them.

    Args:
        rank: the place of this process.
        backend: as Keras names it.

    Raises:
        ZooError: the backend has no processes that train together, or they do not meet.
    """
    import importlib

    global team, devices
    if team is None:
        devices = rank.of
        team = importlib.import_module(f"{__name__}.{backend}").joined(rank)


def leave() -> None:
    """Part from the others; those that still train lose this process."""
    global team
    if team is not None:
        team.leave()
        team = None


def is_lost(error: Exception) -> bool:
    """Whether an error says that another process has ended or does not answer."""
    return team is not None and team.is_lost(error)


def size() -> int:
    """How many processes train together."""
    return 1 if team is None else team.rank.of


def is_first() -> bool:
    """Whether this process writes the run and talks to people; one that trains alone does."""
    return team is None or team.rank.is_first


def decided(*numbers: int) -> list[int]:
    """What the first process says, in all."""
    if team is None:
        return list(numbers)
    import numpy as np

    own = np.array([int(n) if team.rank.is_first else 0 for n in numbers], "int64")
    return [int(n) for n in team.total(own)]


def anywhere(*flags: bool) -> list[bool]:
    """Whether each flag is up in any of the processes."""
    if team is None:
        return list(flags)
    import numpy as np

    return [bool(n) for n in team.total(np.array(flags, "int64"))]


def everywhere(flag: bool) -> bool:
    """Whether a flag is up in all processes."""
    return not anywhere(not flag)[0]


@contextlib.contextmanager
def first_alone() -> Iterator[None]:
    """The block runs in the first process, and when it is done, in the others.

    For what leaves something behind that all need, such as a download.
    """
    if team is not None and not team.rank.is_first:
        anywhere(False)
    yield
    if team is not None and team.rank.is_first:
        anywhere(False)


def spread(variables: Sequence) -> None:
    """Give variables the values that they have in the first process."""
    if team is None:
        return
    import numpy as np
    from keras import ops

    groups: dict[str, list] = {}
    for variable in variables:
        groups.setdefault(str(ops.convert_to_numpy(variable.value).dtype), []).append(variable)
    for kind, own in groups.items():
        exact = "int64" if kind[0] in "iub" else kind  # which add up with zeros to themselves
        flat = np.concatenate([ops.convert_to_numpy(v.value).ravel().astype(exact) for v in own])
        flat = team.total(flat if team.rank.is_first else np.zeros_like(flat)).astype(kind)
        parts = np.split(flat, np.cumsum([int(np.prod(v.shape)) for v in own])[:-1])
        for variable, part in zip(own, parts, strict=True):
            variable.assign(part.reshape(tuple(variable.shape)))
