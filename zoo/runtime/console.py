"""How a person is told things."""

from __future__ import annotations

import json
import os
import re
import sys
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any, TextIO


def open_closed_streams() -> None:
    """Have stdin, stdout and stderr lead nowhere where they are closed, as by ``>&-``.

    Else files that are opened later would get their numbers, and what a framework's C++ prints
    would be written into these.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            stream = open(number, "r" if number == 0 else "w", closefd=False)  # noqa: SIM115  # stays open
            setattr(sys, name, stream)


_hushed = False


def hush() -> None:
    """Say nothing any more, as the processes do that train along with the first."""
    global _hushed
    _hushed = True


def say(line: str) -> None:
    """Tell a person one line, on stderr: stdout is for results."""
    if not _hushed:
        write(line, sys.stderr)


def write(line: str, stream: TextIO) -> None:
    """Write a line; where it cannot be written, as behind ``| head``, nothing is.

    A training does not end because its progress is no longer looked at, or has no room on a disk.
    """
    try:
        print(fitted(line, stream), file=stream, flush=True)
    except OSError:
        # from now on into nothing: else the interpreter would complain at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def columns(stream: TextIO) -> int | None:
    """How many columns a terminal has; None for what is no terminal."""
    try:
        if not stream.isatty():
            return None
        given = os.environ.get("COLUMNS", "")
        wide = int(given) if given.isdecimal() else os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return None
    return max(wide, 20) if wide else None


def fitted(text: str, stream: TextIO | None = None) -> str:
    """Text whose lines break between words where a terminal ends; unchanged for a file.

    Args:
        text: lines. One that is too long breaks between its items, which two spaces part,
            else between words; what continues an indented line is indented by two more.
        stream: where it is written to; stdout if None.
    """
    wide = columns(stream or sys.stdout)
    if wide is None:
        return text
    return "\n".join(part for line in text.split("\n") for part in _broken(line, wide))


def _broken(line: str, wide: int) -> list[str]:
    if len(line) <= wide:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    rest = f"{indent}  " if indent else ""
    lines = packed(re.split(" {2,}", line.strip()), wide - len(rest))
    folded = [
        part
        for whole in lines
        for part in textwrap.wrap(
            whole, wide - len(rest), break_long_words=False, break_on_hyphens=False
        )
    ]
    return [f"{rest if i else indent}{part}" for i, part in enumerate(folded)]


def packed(items: Iterable[str], width: int) -> list[str]:
    """Items in lines no wider than ``width``, an item never split.

    >>> packed(["loss 105.2", "kl 24.1", "val 3"], 20)
    ['loss 105.2  kl 24.1', 'val 3']
    """
    lines: list[str] = []
    for item in items:
        if lines and len(lines[-1]) + 2 + len(item) <= width:
            lines[-1] += f"  {item}"
        else:
            lines.append(item)
    return lines


def cut(line: str, stream: TextIO | None = None, margin: int = 0) -> str:
    """A line that is cut behind a word where a terminal ends; unchanged for a file.

    Args:
        line: the line.
        stream: where it is written to; stdout if None.
        margin: columns that are not to be used.
    """
    wide = columns(stream or sys.stdout)
    if wide is None or len(line) <= wide - margin:
        return line
    kept = line[: wide - margin - 2]
    if line[len(kept)] != " " and " " in kept.strip():
        kept = kept.rpartition(" ")[0]
    return f"{kept.rstrip(' ,;:')} …"


def counted(count: int, word: str) -> str:
    """A number of things.

    >>> counted(1, "step"), counted(1397, "step")
    ('1 step', '1,397 steps')
    """
    return f"{count:,} {word if count == 1 else word + 's'}"


def clock(seconds: float) -> str:
    """Minutes and seconds, with hours where there are any.

    >>> clock(151), clock(4000)
    ('2:31', '1:06:40')
    """
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def lasting(seconds: float) -> str:
    """A time in words.

    >>> lasting(12.3), lasting(150), lasting(9000)
    ('12 seconds', '2 minutes', '2.5 hours')
    """
    if seconds < 90:
        return counted(round(seconds), "second")
    minutes = round(seconds / 60)
    return counted(minutes, "minute") if minutes < 90 else f"{minutes / 60:.1f} hours"


def number(value: float, digits: int = 4) -> str:
    """A number of so many digits, without an exponent where it is large.

    >>> number(105.23), number(12345.6), number(-0.00012345), number(340, digits=2)
    ('105.2', '12,346', '-0.0001234', '340')
    """
    large = 10**digits <= abs(float(f"{value:.{digits}g}")) < 1e12
    return f"{value:,.0f}" if large else f"{value:,.{digits}g}"


def figure(measured: Mapping[str, Any], digits: int = 5) -> str:
    """What was measured, with its unit; after a tilde where its protocol was shortened.

    >>> figure({"value": -95.908, "unit": "nats"}), figure({"value": 0.5, "shortened": "1 of 2"})
    ('-95.908 nats', '~0.5')
    >>> figure({"value": -13116.4, "unit": "nats"}, digits=4)
    '-13,116 nats'
    """
    mark = "~" if measured.get("shortened") else ""
    return f"{mark}{number(measured['value'], digits)} {measured.get('unit', '')}".strip()


def sized(count: int) -> str:
    """A number of bytes.

    >>> sized(44_300), sized(6_680_000), sized(4 * 10**15)
    ('44 kB', '6.7 MB', '4,000,000 GB')
    """
    if count < 10**6:
        return f"{count / 1e3:.0f} kB"
    if count < 10**9:
        return f"{count / 1e6:.1f} MB"
    return f"{count / 1e9:.1f} GB" if count < 10**11 else f"{count // 10**9:,} GB"


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
