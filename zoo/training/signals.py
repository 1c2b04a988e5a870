"""Ctrl-C, a scheduler's SIGTERM and a closed terminal end a training between two steps."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

from zoo.engine import distributed
from zoo.errors import Terminated

_HANGUP = getattr(signal, "SIGHUP", None)  # which Windows has not
_NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}
_ALL = {**_NAMES, **({_HANGUP: "SIGHUP"} if _HANGUP else {})}
_GRACE = 1.0  # seconds from a second signal to the end by force


@contextlib.contextmanager
def at_once(last: Callable[[], None]) -> Iterator[None]:
    """End this process a second after a second signal, however long the present step takes.

    Python carries out a signal's handler between two of its instructions, and takes two signals
    before that for one. A step of a large model is one instruction for seconds. So a thread
    counts what the system delivers. For a process of our own: nothing of it is tidied up.

    Args:
        last: is called before the end by force.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reading, writing = socket.socketpair()
    writing.setblocking(False)
    over = threading.Event()

    def count() -> None:
        seen = 0
        while number := reading.recv(1):
            seen += number[0] in _NAMES
            if seen == 2 and not over.wait(_GRACE):
                last()
                os._exit(128 + number[0])

    before = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    watcher = threading.Thread(target=count, daemon=True, name="signals")
    watcher.start()
    try:
        yield
    finally:
        over.set()
        signal.set_wakeup_fd(before)
        writing.close()
        watcher.join()
        reading.close()


def _again(number, frame) -> None:
    """Raise what stands for a signal."""
    if number in (None, signal.SIGINT):
        raise KeyboardInterrupt
    raise Terminated(int(number))


class Interruption:
    """While it is entered, notes the first SIGINT, SIGTERM or SIGHUP; a second acts at once.

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
        found = distributed.anywhere(*(self._asked == number for number in _ALL))
        for number, had in zip(_ALL, found, strict=True):
            if had and not self._asked:
                self._asked = number
        return self.asked

    def end(self) -> None:
        """Raise what stands for the signal: ``KeyboardInterrupt``, or ``Terminated``."""
        _again(self._asked, None)

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            found = {number: signal.getsignal(number) for number in _ALL}
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
        for each in self._before:  # of hang-ups, a shell and the system send one each
            signal.signal(each, signal.SIG_IGN if each == _HANGUP else _again)
        name = _ALL[self._asked]
        second = f"; a second {name} stops at once" if self._asked in _NAMES else ""
        self._say(f"{name}: stopping after {self._what}{second}")
