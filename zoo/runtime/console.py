"""How a person is told things."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def say(line: str) -> None:
    """Tell a person one line, on stderr: stdout is for results."""
    write(line, sys.stderr)


def write(line: str, stream: TextIO) -> None:
    """Write a line; where nobody reads any more, as behind ``| head``, nothing is written.

    A training does not end because its progress is no longer looked at.
    """
    try:
        print(line, file=stream, flush=True)
    except BrokenPipeError:
        # from now on into nothing: else the interpreter would complain at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def counted(count: int, word: str) -> str:
    """A number of things.

    >>> counted(1, "step"), counted(1397, "step")
    ('1 step', '1,397 steps')
    """
    return f"{count:,} {word if count == 1 else word + 's'}"
