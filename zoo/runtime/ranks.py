"""Which process of a training this one is, as whoever started it says in the environment."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import ZooError

MEETING = "ZOO_MEETING"
"""The folder in which the processes of one machine meet, made by the process that started them."""

RUN = "run"
"""The file there by which the first process says which run it trains."""

BEAT = 1.0  # seconds between the signs of life of a process


@dataclass(frozen=True)
class Rank:
    """A place among the processes of a training.

    Attributes:
        number: from 0; the process 0 writes the run.
        of: how many there are.
        local: its number on its machine.
        meeting: the folder that this process and who started it share; None where others have
            started them.
        address: ``host:port`` of the first process, where they do not meet in a folder.
        source: who says so.
    """

    number: int
    of: int
    local: int = 0
    meeting: Path | None = None
    address: str = ""
    source: str = "torchrun"

    @property
    def is_first(self) -> bool:
        """Whether this process writes the run."""
        return self.number == 0


def environment(
    number: int, of: int, meeting: Path, addresses: Sequence[str] = ()
) -> dict[str, str]:
    """The variables by which ``mine`` finds this place in a process that the zoo starts.

    Args:
        number, of: the place.
        meeting: a folder of its machine.
        addresses: ``host:port`` of each process, or none where all are on one machine: they then
            find each other in the folder.
    """
    place = {"RANK": number, "LOCAL_RANK": number, "WORLD_SIZE": of, "LOCAL_WORLD_SIZE": of}
    host, _, port = addresses[0].rpartition(":") if addresses else ("", "", "")
    cluster = {"cluster": {"worker": list(addresses)}, "task": {"type": "worker", "index": number}}
    return {
        MEETING: str(meeting),
        **{name: str(value) for name, value in place.items()},
        **{"MASTER_ADDR": host, "MASTER_PORT": port},
        **({"TF_CONFIG": json.dumps(cluster)} if addresses else {}),
    }


def mine(given: Mapping[str, str] | None = None) -> Rank | None:
    """The place of this process; None for one that trains alone.

    Args:
        given: the environment; by default that of this process.

    Raises:
        ZooError: the variables contradict each other, or do not say where the first process is.
    """
    given = os.environ if given is None else given
    for source, (number, of, local) in _VARIABLES.items():
        if int(given.get(of) or 1) > 1:
            rank = Rank(
                number=_number(given, number, source),
                of=_number(given, of, source),
                local=int(given.get(local) or 0),
                meeting=Path(given[MEETING]) if MEETING in given else None,
                address=_address(given, source),
                source=source,
            )
            if not 0 <= rank.number < rank.of:
                raise ZooError(f"{number}={rank.number} is none of {of}={rank.of} processes")
            return rank
    return _of_tensorflow(given)


_VARIABLES = {
    "torchrun": ("RANK", "WORLD_SIZE", "LOCAL_RANK"),
    # of a step, as srun starts: a batch script has SLURM_NTASKS too, and is one process
    "Slurm": ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"),
    "Open MPI": ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"),
}
"""By who starts processes: the variables of a process's number, of how many, and on its machine."""


def forget() -> None:
    """Take the place out of the environment: what this process starts has none among the others."""
    for name in (MEETING, "TF_CONFIG", *(name for own in _VARIABLES.values() for name in own)):
        os.environ.pop(name, None)


def _number(given: Mapping[str, str], name: str, source: str) -> int:
    try:
        return int(given[name])
    except (KeyError, ValueError):
        raise ZooError(
            f"{name}={given.get(name, '')!r} is no number, and {_VARIABLES[source][1]} says that "
            f"processes train together: unset {_VARIABLES[source][1]} to train alone"
        ) from None


def _address(given: Mapping[str, str], source: str) -> str:
    """``host:port`` of the first process."""
    host, port = given.get("MASTER_ADDR", ""), given.get("MASTER_PORT", "")
    if source == "Slurm":
        nodes = given.get("SLURM_STEP_NODELIST") or given.get("SLURM_JOB_NODELIST") or ""
        # "gpu[07-09,12],login1" begins with gpu07
        first = re.match(r"([^,\[]+)(?:\[(\w+))?", nodes)
        host = host or (f"{first[1]}{first[2] or ''}" if first else "")
        port = port or str(20000 + int(given.get("SLURM_JOB_ID") or 0) % 20000)
    return f"{host}:{port or 29500}" if host else ""


def _of_tensorflow(given: Mapping[str, str]) -> Rank | None:
    """The place that TF_CONFIG says."""
    try:
        said = json.loads(given.get("TF_CONFIG") or "{}")
        workers, number = said.get("cluster", {}).get("worker", ()), said.get("task", {})["index"]
    except KeyError:
        return None
    except (ValueError, AttributeError, TypeError):
        raise ZooError(
            "TF_CONFIG is not the JSON that TensorFlow describes: mend or unset it"
        ) from None
    return Rank(int(number), len(workers), source="TF_CONFIG") if len(workers) > 1 else None


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
