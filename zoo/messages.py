"""How a person is told things."""

from __future__ import annotations

import sys


def say(line: str) -> None:
    """Tell a person one line, on stderr: stdout is for results."""
    print(line, file=sys.stderr, flush=True)


def counted(count: int, word: str) -> str:
    """A number of things.

    >>> counted(1, "step"), counted(1397, "step")
    ('1 step', '1,397 steps')
    """
    return f"{count:,} {word if count == 1 else word + 's'}"
