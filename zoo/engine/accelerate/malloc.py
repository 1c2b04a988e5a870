"""Tune glibc's malloc to keep freed memory: mapping it again can cost more than a small step."""

from __future__ import annotations

import ctypes
import os

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8  # of glibc's malloc.h


def retain_freed_memory() -> str | None:
    """Have glibc's malloc keep what is freed, until the process ends.

    By default each large tensor is mapped when it is made and unmapped when it is freed, and the
    system fills it with zeros, page by page. Settings of ``MALLOC_...`` in the environment stay.

    Returns:
        Why nothing was changed; None where it was.
    """
    own = next((name for name in os.environ if name.startswith("MALLOC_")), None)
    if own is not None:
        return f"{own} is set"
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, another system
        return "the C library is not glibc"
    mallopt(_MMAP_MAX, 0)
    mallopt(_TRIM_THRESHOLD, -1)
    mallopt(_TOP_PAD, 1 << 26)
    mallopt(_ARENA_MAX, 1)
    return None
