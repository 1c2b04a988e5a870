"""Which process of a training this one is, as whoever started it says in the environment."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import ZooError

MEETING = "ZOO_MEETING"
"""The folder in which the processes of one machine meet, made by the process that started them."""

BEAT = 1.0  # seconds between the signs of life of a process


@dataclass(frozen=True)
class Rank:
    """A place among the processes of a training.

    Attributes:
        number: from 0; the process 0 writes the run.
        of: how many there are.
        local: its number on its machine.
        meeting: the folder where they meet; None for processes of several machines.
        source: who says so.
    """

    number: int
    of: int
    local: int = 0
    meeting: Path | None = None
    source: str = "torchrun"

    @property
    def is_first(self) -> bool:
        """Whether this process writes the run."""
        return self.number == 0


def environment(number: int, of: int, meeting: Path) -> dict[str, str]:
    """The variables by which ``mine`` finds this place in a process that is started here."""
    place = {"RANK": number, "LOCAL_RANK": number, "WORLD_SIZE": of, "LOCAL_WORLD_SIZE": of}
    return {MEETING: str(meeting), **{name: str(value) for name, value in place.items()}}


def mine(given: Mapping[str, str] | None = None) -> Rank | None:
    """The place of this process; None for one that trains alone.

    Args:
        given: the environment; by default that of this process.

    Raises:
        ZooError: the variables contradict each other.
    """
    given = os.environ if given is None else given
    if int(given.get("WORLD_SIZE") or 1) < 2:
        return None
    meeting = given.get(MEETING)
    rank = Rank(
        number=_number(given, "RANK"),
        of=_number(given, "WORLD_SIZE"),
        local=int(given.get("LOCAL_RANK") or 0),
        meeting=Path(meeting) if meeting else None,
        source="zoo" if meeting else "torchrun",
    )
    if not 0 <= rank.number < rank.of:
        raise ZooError(f"RANK={rank.number} is none of WORLD_SIZE={rank.of} processes")
    return rank


def _number(given: Mapping[str, str], name: str) -> int:
    try:
        return int(given[name])
    except (KeyError, ValueError):
        raise ZooError(
            f"{name}={given.get(name, '')!r} is not a number, and WORLD_SIZE says that several "
            "processes train together: unset WORLD_SIZE to train alone"
        ) from None


def sign(meeting: Path, number: int) -> Path:
    """The file whose time says when a process was last alive."""
    return meeting / f"alive-{number}"


def give_signs(rank: Rank) -> None:
    """Have a thread show, as long as this process runs, that it does."""
    if rank.meeting is None:
        return
    path = sign(rank.meeting, rank.number)

    def beat() -> None:
        while True:
            try:
                path.touch()
            except OSError:  # the folder is gone, as is who looks at it
                return
            time.sleep(BEAT)

    threading.Thread(target=beat, daemon=True, name="signs of life").start()
