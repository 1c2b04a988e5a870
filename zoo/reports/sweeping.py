"""How far a sweep is: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TextIO

from zoo.runtime import leash
from zoo.runtime.console import clock, cut, write

EVERY = 60.0  # seconds from line to line, where there is no terminal
LOOK = 1.0  # seconds from look to look at how far the runs are
MOST = 12  # runs shown on a terminal at once


class Progress:
    """Shows which runs of a sweep are under way; each that ends leaves a line.

    Args:
        labels: of all runs that are made, by their key.
        done: how many are finished already.
        at_once: how many are trained at a time, as far as is known.
        place: tells how far a run is, as ``"epoch 3/10"``; empty before it has a folder.
        stream: where to write; ``sys.stderr`` if None.
    """

    def __init__(
        self,
        labels: Mapping[Any, str],
        done: int,
        at_once: int,
        place: Callable[[Any], str],
        stream: TextIO | None = None,
    ):
        self._labels, self._place, self._at_once = labels, place, at_once
        self._before, self._finished, self._failed = done, 0, 0
        self._out = stream or sys.stderr
        self._running: dict[Hashable, float] = {}
        self._places: dict[Hashable, str] = {}
        self._began = self._looked = self._told = time.monotonic()
        self._live: Any = None
        if self._out.isatty() and os.environ.get("TERM") not in ("dumb", "unknown"):
            from rich.console import Console
            from rich.live import Live

            self._live = Live(
                self,
                console=Console(file=self._out, force_terminal=True),
                refresh_per_second=2,
                transient=True,
            )
            self._live.start()

    def began(self, cell: Hashable) -> None:
        self._running[cell] = time.monotonic()

    def ended(self, cell: Any, outcome: str) -> None:
        took = time.monotonic() - self._running.pop(cell)
        self._places.pop(cell, None)
        self._finished += not outcome
        self._failed += outcome not in ("", leash.STOPPED)
        told = outcome or f"finished in {clock(took)}"
        self.say(f"{self._labels[cell]}: {told}")

    def tick(self) -> None:
        now = time.monotonic()
        if now - self._looked >= LOOK and (self._live or now - self._told >= EVERY):
            self._looked = now
            self._places = {cell: self._place(cell) for cell in self._running}
        if self._live is None and now - self._told >= EVERY:
            self._told = now
            write("  ".join([self._counts(), *self._lines()]), self._out)

    def say(self, line: str) -> None:
        """Tell a line that stays, above the live table."""
        if self._live is None:
            write(line, self._out)
        else:
            self._live.console.print(line, markup=False, highlight=False)

    def close(self) -> None:
        """Give the terminal back."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _counts(self) -> str:
        finished = self._before + self._finished
        parts = [f"{finished} of {self._before + len(self._labels)} finished"]
        parts += [f"{self._failed} failed"] if self._failed else []
        parts.append(f"{min(len(self._running), self._at_once)} running")
        elapsed = time.monotonic() - self._began
        parts.append(clock(elapsed))
        ended = self._finished + self._failed
        if left := len(self._labels) - ended:
            told = f"about {clock(elapsed / ended * left)} left" if ended >= self._at_once else ""
            parts += [told] if told else []
        return ", ".join(parts)

    def _lines(self) -> list[str]:
        now = time.monotonic()
        return [
            f"{self._labels[cell]} {self._places.get(cell) or 'starting'} {clock(now - began)}"
            for cell, began in list(self._running.items())[:MOST]
        ]

    def __rich_console__(self, console, options):
        from rich.table import Table
        from rich.text import Text

        now, running = time.monotonic(), list(self._running.items())
        states = [self._places.get(cell) or "starting" for cell, _ in running]
        beside = max(map(len, states), default=0) + len("0:00:00") + 4
        table = Table.grid(padding=(0, 2))
        table.add_column(
            no_wrap=True, overflow="ellipsis", max_width=max(options.max_width - beside, 8)
        )
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, justify="right")
        for (cell, began), state in zip(running[:MOST], states, strict=False):
            table.add_row(Text(self._labels[cell]), Text(state), clock(now - began))
        yield Text(cut(self._counts(), self._out), style="bold")
        yield table
        if len(running) > MOST:
            yield Text(f"and {len(running) - MOST} more", style="dim")
