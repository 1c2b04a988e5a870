"""How a person is told things."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any, TextIO


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


def sized(count: int) -> str:
    """A number of bytes.

    >>> sized(44_300), sized(6_680_000)
    ('44 kB', '6.7 MB')
    """
    return f"{count / 1e3:.0f} kB" if count < 1e6 else f"{count / 1e6:.1f} MB"


def printable(text: str) -> str:
    """Text in which what no terminal should be sent is escaped: controls, halves of characters.

    >>> printable("a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def brief(text: str) -> str:
    """Text without the inner part of words and lines that nobody reads to their end.

    >>> brief("no run " + "a" * 20_000)
    'no run aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ... (20,000 characters)'
    """

    def cut(found: re.Match) -> str:
        return f"{found[0][:40]} ... ({len(found[0]):,} characters)"

    text = re.sub(r"\S{400,}", cut, text)
    return re.sub(r"(?<=.{1000}).{1000,}", lambda rest: f" ... ({len(rest[0]):,} more)", text)


def excerpt(value: Any) -> str:
    """The start of a value that a file holds, as JSON has it, for a message."""
    try:
        text = json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        text = ascii(value)
    return text if len(text) <= 80 else f"{text[:76]} ..."
