"""Python in a child process with a time limit, for code that may crash or hang."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from zoo.errors import RunFailed, shortened


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


def answer(
    args: Sequence[str], *, own_backend: bool = False, failed: str = ""
) -> Mapping[str, Any]:
    """Run a command with ``--json`` and return what it prints; stderr is that of this process.

    Args:
        args: the command and its arguments, as in ``["run", "vae_mnist"]``.
        own_backend: whether the command chooses its backend whatever ``KERAS_BACKEND`` says,
            which within a run is the run's own.
        failed: what to say first where the command fails.

    Raises: as ``output``.
    """
    return json.loads(output([*args, "--json"], own_backend=own_backend, failed=failed))


def output(args: Sequence[str], *, own_backend: bool = False, failed: str = "") -> str:
    """Run a command and return what it prints; the arguments are those of ``answer``.

    Raises:
        RunFailed: the command failed, having said why.
        KeyboardInterrupt: Ctrl-C, after the command has ended too.
    """
    hidden = {"KERAS_BACKEND"} if own_backend else set()
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    command = [sys.executable, "-m", "zoo", *args]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            out, _ = process.communicate()
        except KeyboardInterrupt:  # the command has had it too, and keeps its weights
            process.wait()
            raise
    if process.returncode == 130:
        raise KeyboardInterrupt
    if process.returncode:
        what = failed or f"zoo {args[0]} failed"
        raise RunFailed(f"{what}, with exit status {process.returncode}; why is said above")
    return out
