"""Commands of the zoo in processes of their own, each with a backend of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from zoo.errors import RunFailed


def answer(
    args: Sequence[str], *, own_backend: bool = False, failed: str = ""
) -> Mapping[str, Any]:
    """Run a command with ``--json`` and return what it prints; stderr is that of this process.

    Args:
        args: the command and its arguments, as in ``["run", "vae_mnist"]``.
        own_backend: whether the command chooses its backend whatever ``KERAS_BACKEND`` says,
            which within a run is the run's own.
        failed: what to say first where the command fails.

    Raises:
        RunFailed: the command failed, having said why.
        KeyboardInterrupt: Ctrl-C, after the command has ended too.
    """
    hidden = {"KERAS_BACKEND"} if own_backend else set()
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    command = [sys.executable, "-m", "zoo", *args, "--json"]
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
    return json.loads(out)
