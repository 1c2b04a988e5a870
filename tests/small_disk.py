"""A real file system of a megabyte, to be filled."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def small_disk(parent: Path) -> Iterator[tuple[Path, Callable[[str], None]]]:
    """The folder it is mounted on, and what mounts it anew with other options.

    The test is skipped where the process may not mount.
    """
    folder = parent / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "zoo-test", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount")

    def again(options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)

    try:
        yield folder, again
    finally:
        subprocess.run(["umount", str(folder)], check=True)
