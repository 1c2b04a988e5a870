"""What memory there is, and refusing what cannot fit before any of it is taken."""

from __future__ import annotations

import contextlib
import functools
import os
from pathlib import Path

from zoo.errors import ZooError
from zoo.runtime.console import sized

_SIGNS = ("out of memory", "resource_exhausted", "can't allocate memory", "oom when allocating")
"""What backends say when there is none left."""

_GROUPS = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)
"""Where Linux says what a container may take."""

UNKNOWN = 1 << 62
"""What ``most`` returns where nothing says how much there is."""


def is_full(error: BaseException | None) -> bool:
    """Whether an error says that memory is full, of this machine or of its device."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(sign in text for sign in _SIGNS)


def refuse_beyond(count: int, what: str, instead: str) -> None:
    """Refuse what takes more memory than this process may have.

    Args:
        count: bytes that it takes, at least.
        what: that takes them, for the message.
        instead: what to do.

    Raises:
        ZooError: with the estimate, and what there is.
    """
    there = most()
    if count > there:
        raise ZooError(
            f"{what} would take {sized(count)} of memory or more, and there are {sized(there)}: "
            f"{instead}"
        )


@functools.cache
def most() -> int:
    """Bytes that a process can have: the machine's, or its container's, or its own limit."""
    known = [UNKNOWN]
    with contextlib.suppress(AttributeError, OSError, ValueError):  # Windows has neither
        known.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with contextlib.suppress(ImportError):
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        known += [limit] if limit != resource.RLIM_INFINITY else []
    for path in _GROUPS:
        with contextlib.suppress(OSError, ValueError):
            known.append(int(Path(path).read_text(encoding="ascii")))
    return min(known)
