"""What takes long is shown while it lasts: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import TextIO

from zoo.runtime.console import clock, write

QUIET = 2.0  # seconds in which nothing is shown
EVERY = 10.0  # seconds from line to line, where there is no terminal


class Waiting:
    """What is waited for, shown from a thread of its own.

    Attributes:
        expected: seconds that it takes in all, as far as is known, or None.
    """

    def __init__(self, what: str, stream: TextIO):
        self.expected: float | None = None
        self._what, self._stream, self._began = what, stream, time.perf_counter()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._show, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Show nothing any more."""
        self._ended.set()
        self._thread.join()

    def _show(self) -> None:
        if self._ended.wait(QUIET):
            return
        if self._stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown"):
            from rich.console import Console
            from rich.live import Live

            console = Console(file=self._stream, force_terminal=True)
            with Live(self, console=console, refresh_per_second=2, transient=True):
                self._ended.wait()
            return
        write(f"{self._what}: {self._place()}", self._stream)
        while not self._ended.wait(EVERY):
            write(f"{self._what}: {self._place()}", self._stream)

    def _place(self) -> str:
        elapsed = time.perf_counter() - self._began
        return clock(elapsed) + (f" of about {clock(self.expected)}" if self.expected else "")

    def __rich_console__(self, console, options):
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        elapsed, place = time.perf_counter() - self._began, self._place()
        room = options.max_width - len(self._what) - len(place) - 2
        row = Table.grid(padding=(0, 1))
        bar = []
        if self.expected and room >= 10:  # a narrow terminal has the words alone
            done = min(elapsed, self.expected)
            bar = [ProgressBar(total=self.expected, completed=done, width=min(room, 40))]
        row.add_row(self._what, *bar, place)
        yield row


@contextlib.contextmanager
def waiting(what: str, stream: TextIO | None = None) -> Iterator[Waiting]:
    """Show that the block takes long, if it takes more than two seconds.

    Args:
        what: is done, as in ``"measuring elbo"``.
        stream: where to; stderr if None.
    """
    shown = Waiting(what, stream or sys.stderr)
    try:
        yield shown
    finally:
        shown.end()
