"""The process in which inputs are tried: limited in memory, and watched for what it writes."""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import shutil
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

MOST_MEMORY = 1 << 30
"""Bytes that an attempt may take, besides what the process had before."""

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CHANGES = (
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.symlink",
    "os.link",
    "os.truncate",
)
_NEVER = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect")


class Watch:
    """Notes what Python is asked to write outside a folder, or to start."""

    def __init__(self) -> None:
        self.folder, self.found = Path(), list[str]()
        self.on = False
        sys.addaudithook(self._hear)

    def _hear(self, event: str, args: tuple) -> None:
        if not self.on:
            return
        if event in _NEVER:
            self.found.append(f"{event} {args[0]!r}")
        elif (event == "open" and (args[2] or 0) & _WRITES) or event in _CHANGES:
            path = args[0]
            if isinstance(path, (str, bytes)) and not self._allowed(os.fsdecode(path)):
                self.found.append(f"{event} {path!r}")

    def _allowed(self, path: str) -> bool:
        # What is opened below a handle has no folder in its name: its folder was opened before.
        inside = os.path.realpath(path).startswith(f"{os.path.realpath(self.folder)}{os.sep}")
        return inside or os.sep not in path or path == os.devnull


def memory(line: str) -> int:
    """A number of bytes that Linux tells of this process, such as ``VmHWM``."""
    with open("/proc/self/status", encoding="ascii") as file:
        return 1024 * next(int(each.split()[1]) for each in file if each.startswith(line))


def main() -> None:
    """Try what is asked for, a line of JSON each, and answer with one."""
    faulthandler.enable()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    warnings.simplefilter("ignore")
    from tests.fuzz import kinds

    watch, good = Watch(), kinds._good()
    kinds._good_pack()
    kinds.zoo.load(good).sample(2)  # imports what is imported late
    for line in sys.stdin:
        kind, seed, number = json.loads(line)
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")  # reset the peak
        # A process that has tried thousands of inputs has more than it began with.
        limit = memory("VmSize") + 2 * MOST_MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
        kinds.files.memory.most.cache_clear()
        before, folder, what = memory("VmHWM"), Path(tempfile.mkdtemp(prefix="zoo-fuzz-")), ""
        watch.folder, watch.found = folder, []
        os.chdir(folder)
        watch.on = True
        try:
            outcome = kinds.tried(kind, seed, number, folder)
        except BaseException:
            outcome, what = "traceback", traceback.format_exc(limit=-6)
        watch.on = False
        os.chdir("/")
        shutil.rmtree(folder, ignore_errors=True)
        taken = memory("VmHWM") - before
        if watch.found:
            outcome, what = "outside", "; ".join(watch.found[:5])
        elif taken > MOST_MEMORY:
            outcome, what = "memory", f"{taken >> 20} MB"
        print(json.dumps([outcome, what]), file=answers, flush=True)


if __name__ == "__main__":
    main()
