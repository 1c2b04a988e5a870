"""Python in a child process with a time limit, for code that may crash or hang."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

from zoo.errors import shortened


def start(
    arguments: Sequence[str], environment: Mapping[str, str] | None = None
) -> subprocess.Popen:
    """Start ``python ARGUMENTS`` in a process group of its own; stdout goes nowhere."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def ended(child: subprocess.Popen, timeout: float) -> str:
    """Wait, and say in one line why it failed; empty where it did not.

    One that takes too long is killed, with whatever it has started. So it is on Ctrl-C.
    """
    try:
        _, errors = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        _kill(child)
        return f"no answer within {timeout:g} s"
    except BaseException:
        _kill(child)
        raise
    if child.returncode == 0:
        return ""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    last = shortened(lines[-1], 600) if lines else ""
    if child.returncode < 0:
        return f"crashed with {signal.Signals(-child.returncode).name}"
    return last or f"ended with exit status {child.returncode} and no message"


def failure(
    arguments: Sequence[str], timeout: float, environment: Mapping[str, str] | None = None
) -> str:
    """Run ``python ARGUMENTS`` and say why it failed; empty where it did not."""
    return ended(start(arguments, environment), timeout)


def _kill(child: subprocess.Popen) -> None:
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    child.wait()
    if child.stderr is not None:
        child.stderr.close()
