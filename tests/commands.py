"""Commands, called in this process."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pytest

from zoo import cli


def call(capfd: pytest.CaptureFixture, *args: object) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a command."""
    capfd.readouterr()
    status = cli.main([str(arg) for arg in args])
    return status, *capfd.readouterr()


@contextlib.contextmanager
def environment_kept() -> Iterator[None]:
    """Put the environment back, which commands set for the processes that they start."""
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
