"""Memory that is given back only to be asked for again costs more than the steps that use it."""

from __future__ import annotations

import ctypes
import os

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8  # of glibc's malloc.h


def keep() -> None:
    """Have glibc's malloc keep what is freed, where that is what this process uses.

    By default each large tensor is mapped when it is made and unmapped when it is freed, and the
    system fills it with zeros, page by page. Settings of ``MALLOC_...`` in the environment stay.
    """
    if any(name.startswith("MALLOC_") for name in os.environ):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, another system
        return
    mallopt(_MMAP_MAX, 0)
    mallopt(_TRIM_THRESHOLD, -1)
    mallopt(_TOP_PAD, 1 << 26)
    mallopt(_ARENA_MAX, 1)
