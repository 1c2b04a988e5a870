"""Ctrl-C and a scheduler's SIGTERM end a training between two steps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any

from zoo.engine import distributed
from zoo.errors import Terminated

_NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}


class Interruption:
    """While it is entered, notes the first SIGINT or SIGTERM; a second one acts at once.

    An interrupt within a step would leave weights half moved; on JAX, where a step gives its
    buffers away, it could lose them.

    Args:
        say: tells a person one line.
        what: is still made before the end.
    """

    def __init__(self, say: Callable[[str], None], what: str = "this step"):
        self._say, self._what = say, what
        self._before: dict[signal.Signals, Any] = {}
        self._asked: signal.Signals | None = None

    @property
    def asked(self) -> bool:
        """Whether there was a signal."""
        return self._asked is not None

    @property
    def number(self) -> int | None:
        """The signal that there was, or None."""
        return self._asked

    def agree(self) -> bool:
        """Take up the signal of any process that trains with this one; whether there was one."""
        found = distributed.anywhere(*(self._asked == number for number in _NAMES))
        for number, had in zip(_NAMES, found, strict=True):
            if had and not self._asked:
                self._asked = number
        return self.asked

    def end(self) -> None:
        """Raise what stands for the signal: ``KeyboardInterrupt``, or ``Terminated``."""
        raise Terminated if self._asked == signal.SIGTERM else KeyboardInterrupt

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            found = {number: signal.getsignal(number) for number in _NAMES}
            # in a background job it may be ignored, and stays so
            self._before = {n: old for n, old in found.items() if old not in (signal.SIG_IGN, None)}
            for number in self._before:
                signal.signal(number, self._note)
        return self

    def __exit__(self, *raised):
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _note(self, number, frame):
        self._asked = signal.Signals(number)
        self.__exit__()
        self._say(
            f"{_NAMES[self._asked]}: stopping after {self._what}; "
            f"a second {_NAMES[self._asked]} stops at once"
        )
