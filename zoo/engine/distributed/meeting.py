"""How processes of one machine find each other: each tells its address in a file."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from zoo.errors import ZooError
from zoo.runtime.ranks import Rank


def addresses(rank: Rank, meeting: Path, patience: float = 120.0) -> list[str]:
    """The address of each process, which it tells the others in a file; this one's is a free port.

    Raises:
        ZooError: not all have told theirs in time.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        own = f"127.0.0.1:{free.getsockname()[1]}"
    part = meeting / f"port-{rank.number}.part"
    part.write_text(own, encoding="utf-8")
    part.rename(meeting / f"port-{rank.number}")
    files = [meeting / f"port-{number}" for number in range(rank.of)]
    until = time.monotonic() + patience
    while not all(file.exists() for file in files):
        if time.monotonic() > until:
            raise ZooError(f"not all of {rank.of} processes have begun within {patience:g} s")
        time.sleep(0.05)
    return [file.read_text(encoding="utf-8") for file in files]
