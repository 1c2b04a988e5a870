"""How far the training is: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from typing import Any, TextIO

from zoo.callbacks.base import Callback
from zoo.callbacks.speed import Speed
from zoo.reports import losses
from zoo.runtime.console import clock, packed, write

REDRAWS = 5  # a second


class Progress(Callback):
    """Shows epoch, time left for the whole training, examples per second and the terms.

    Each epoch leaves a line. On a terminal there is a live display of the present epoch below
    it, redrawn from a thread of its own five times a second whatever the speed of the steps.
    ``close`` gives the terminal back when training is broken off.

    Args:
        stream: where to write; ``sys.stderr`` if None.
    """

    # Reports of steps come from Keras's threads; they must neither wait for the device
    # nor touch `self.model`, which on JAX would copy its state out of the running epoch.
    async_safe = True

    def __init__(self, stream: TextIO | None = None):
        super().__init__()
        self.stream = stream
        self._live: Any = None
        self._speed = Speed()
        self._epoch = 0
        self._validating = False
        self._terms: Mapping[str, float] = {}
        self._ended = False
        self._began = 0.0
        self._origin: tuple[float, float] | None = None
        self._took: float | None = None

    def on_train_begin(self, logs=None):
        stream = self.stream or sys.stderr
        self._out = stream
        self._terms, self._ended = {}, False
        self._began, self._origin, self._took = time.perf_counter(), None, None
        if stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown"):
            from rich.console import Console
            from rich.live import Live

            self._live = Live(
                self,
                console=Console(file=stream, force_terminal=True),
                refresh_per_second=REDRAWS,
                # What else is printed goes above the display; but output that is
                # piped elsewhere stays where it was sent.
                redirect_stdout=sys.stdout.isatty(),
                redirect_stderr=sys.stderr.isatty(),
            )
            self._live.start()

    def on_epoch_begin(self, epoch, logs=None):
        self._speed.begin()
        self._epoch, self._ended = epoch, False

    def on_train_batch_end(self, batch, logs=None):
        self._speed.step(batch)
        self._terms = logs or {}
        if self._origin is None:
            # Time left is judged from here, the first step having been compiled.
            self._origin = (self._position(), time.perf_counter())

    def on_test_begin(self, logs=None):
        self._validating = True

    def on_test_end(self, logs=None):
        self._validating = False

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        held_out = {k.removeprefix("val_"): v for k, v in logs.items() if k.startswith("val_")}
        for name in [n for n in held_out if n.rpartition("/")[0] in held_out]:
            del held_out[name]  # details of what was measured
        items = [self._title(), f"{self._speed.seconds:.1f} s", self._rate()]
        items += losses.shown({k: v for k, v in logs.items() if not k.startswith("val_")})
        items = [item for item in [*items, *losses.shown(held_out, "val_")] if item]
        self._terms, self._ended = {}, True
        if self._live is None:
            write("  ".join(items), self._out)
        else:  # it stays above the display
            first, *others = packed(items, self._live.console.width - 2)
            self._live.console.out("\n  ".join([first, *others]), highlight=False)

    def on_train_end(self, logs=None):
        self._took = time.perf_counter() - self._began
        self.close()

    def close(self):
        """Stop the live display, leaving its last state and the cursor visible."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _title(self) -> str:
        return f"epoch {self._epoch + 1}/{self.params['epochs']}"

    def _rate(self) -> str:
        speed = self._speed.per_second
        if speed is None or self.context is None:
            return ""
        return f"{speed * self.context.batch_size:,.0f} examples/s"

    def _position(self) -> float:
        """Epochs made, with the fraction of the present one."""
        steps = self.params["steps"]
        return self._epoch + (min(self._speed.steps / steps, 1.0) if steps else 0.0)

    def _left(self) -> str:
        if self._took is not None:
            return f"took {clock(self._took)}"
        if self._origin is None:
            return ""
        position, now = self._position(), time.perf_counter()
        made = position - self._origin[0]
        if made <= 0:
            return ""
        left = (now - self._origin[1]) / made * (self.params["epochs"] - position)
        return f"{clock(left)} left"

    def __rich_console__(self, console, options):
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        width = options.max_width
        if self._ended:
            yield Text(self._left(), style="dim")
            return
        title, steps = self._title(), self.params["steps"]
        count = f"{self._speed.steps}/{steps}" if steps else f"{self._speed.steps}"
        doing = self.context.doing if self.context else ""
        facts = [count, self._left(), self._rate(), doing or "validating" * self._validating]
        facts = [fact for fact in facts if fact]
        bar = width - len(title) - len("  ".join(facts)) - 2
        below = []
        if bar < 10:  # narrow: only the count stays beside the bar
            facts, below = facts[:1], facts[1:]
            bar = max(width - len(title) - len(count) - 2, 1)
        row = Table.grid(padding=(0, 1))
        row.add_row(
            Text(title, style="bold"),
            ProgressBar(total=steps, completed=self._speed.steps, width=min(bar, 40)),
            "  ".join(facts),
        )
        yield row
        for items, style in [
            (below, ""),
            (losses.shown(self._terms), ""),
        ]:
            for line in packed(items, width):
                yield Text(line, style=style, no_wrap=True, overflow="ellipsis")
