"""Checkpoints on disk: written whole or not at all, and read only if they are whole."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from tests.small_disk import small_disk
from tests.writer import checkpoint
from zoo.runs import safetensors
from zoo.runs.checkpoints import Damaged, Snapshot, Store

pytestmark = pytest.mark.backend_free


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "checkpoints")


def last(store):
    found = store.newest()
    return None if found is None else found.state["epoch"]


def test_what_is_written_is_read(store):
    import ml_dtypes

    arrays = {
        "float": np.arange(6, dtype="float32").reshape(2, 3),
        "scalar": np.array(7),
        "empty": np.zeros((0, 3), "float64"),
        "strided": np.arange(12)[::3],
        "half": np.arange(4).astype(ml_dtypes.bfloat16),
        "boolean": np.array([True, False]),
    }
    store.write(Snapshot(arrays, {"epoch": 3, "step": 2, "text": "é"}), keep=1)
    found = store.newest()
    assert found.state == {"epoch": 3, "step": 2, "text": "é"}
    assert found.place == "step 2 of epoch 4"
    for name, array in arrays.items():
        assert found.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(found.arrays[name], array)


def test_the_hashes_are_those_of_sha256sum(store):
    folder = store.folder / store.write(checkpoint(1), keep=1)
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, check=True)


def test_the_last_ones_and_those_spared_are_kept(store):
    names = [store.write(checkpoint(i), keep=99) for i in range(4)]
    assert store.names() == names
    newest = store.write(checkpoint(4), keep=2, spare=names[:1])
    assert store.names() == [names[0], names[3], newest]
    assert sorted(os.listdir(store.folder)) == store.names()


def test_the_order_is_that_of_writing_whatever_the_clock_says(store):
    for epoch in range(3):
        name = store.write(checkpoint(epoch), keep=99)
        os.utime(store.folder / name, (1e9 - epoch, 1e9 - epoch))
    assert last(store) == 2


@pytest.mark.parametrize("file", ["arrays.safetensors", "state.json", "SHA256SUMS"])
@pytest.mark.parametrize("damage", ["truncated", "flipped", "missing", "a folder"])
def test_a_damaged_one_is_told_and_the_one_before_is_taken(store, file, damage):
    store.write(checkpoint(1), keep=2)
    path = store.folder / store.write(checkpoint(2), keep=2) / file
    content = path.read_bytes()
    path.unlink()
    if damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    elif damage == "a folder":
        path.mkdir()
    told = []
    assert store.newest(told.append).state["epoch"] == 1
    [line] = told
    assert str(path.parent) in line and "damaged" in line
    store.write(checkpoint(3), keep=2)  # the damaged one is not counted among those kept
    assert [store.read(name).state["epoch"] for name in store.names()] == [1, 3]


def test_every_byte_counts(store):
    store.write(checkpoint(1), keep=2)
    folder = store.folder / store.write(checkpoint(2), keep=2)
    for path in folder.iterdir():
        content = bytearray(path.read_bytes())
        for place in range(0, len(content), 7):
            content[place] ^= 4
            path.write_bytes(content)
            assert last(store) == 1, (path.name, place)
            content[place] ^= 4
        path.write_bytes(content)
    assert last(store) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 8,
        (1 << 62).to_bytes(8, "little") + b"{}",
        (4).to_bytes(8, "little") + b"[[[[",
    ],
)
def test_what_is_no_safetensors_is_refused(content):
    with pytest.raises(ValueError):
        safetensors.decoded(content)


@pytest.mark.parametrize(
    ("shape", "offsets"),
    [([1 << 40], [0, 1 << 42]), ([-1], [0, 4]), ([3], [0, 4]), ([1], [-4, 0]), ([1.0], [0, 4])],
)
def test_an_array_that_does_not_fit_is_refused(shape, offsets):
    import json

    entry = {"dtype": "F32", "shape": shape, "data_offsets": offsets}
    header = json.dumps({"a": entry}).encode()
    with pytest.raises(ValueError):
        safetensors.decoded(len(header).to_bytes(8, "little") + header + b"1234")


# --- a fault at each system call of a write

CALLS = (
    "mkdir,mkdirat,openat,open,write,fsync,close,rename,renameat,unlink,rmdir,unlinkat,getdents64"
)


def strace():
    """The command, where the system lets processes be traced."""
    command = shutil.which("strace")
    if not command or subprocess.run([command, "true"], capture_output=True).returncode:
        pytest.skip("needs strace, and the right to trace")
    return command


def calls_of_a_write(folder, tracer):
    """Each system call of a write on the folder, as ``(its name, its place among those)``."""
    log = folder.with_suffix(".log")
    command = [tracer, "-e", f"trace={CALLS}", "-o", log, sys.executable, "-m", "tests.writer"]
    subprocess.run([*command, folder, "2"], check=True, capture_output=True)
    counts: dict[str, int] = {}
    found, begun = [], False
    for line in log.read_text().splitlines():
        called = re.match(r"(\w+)\(", line)
        if not called:
            continue
        counts[called[1]] = counts.get(called[1], 0) + 1
        begun |= str(folder) in line
        if begun:
            found.append((called[1], counts[called[1]]))
    return found


@pytest.mark.parametrize("fault", ["signal=SIGKILL", "error=ENOSPC"])
def test_a_fault_at_each_system_call_leaves_a_good_checkpoint(tmp_path, fault, full):
    """At every fifth one in short, and at the last, which is beyond the rename."""
    tracer = strace()
    first = tmp_path / "first"
    Store(first).write(checkpoint(1), keep=2)
    shutil.copytree(first, tmp_path / "traced")
    calls = calls_of_a_write(tmp_path / "traced", tracer)
    assert {"mkdirat", "write", "fsync", "renameat"} <= {call for call, _ in calls}
    for number, (call, place) in enumerate(calls):
        if not full and number % 5 and number + 1 < len(calls):
            continue
        folder = tmp_path / str(number)
        shutil.copytree(first, folder)
        inject = f"inject={call}:{fault}:when={place}"
        command = [tracer, "-o", "/dev/null", "-e", inject, sys.executable, "-m", "tests.writer"]
        done = subprocess.run([*command, folder, "2"], capture_output=True, text=True)
        store = Store(folder)
        assert last(store) in (1, 2), (call, place, done.stderr)
        if fault == "signal=SIGKILL":
            assert done.returncode == -signal.SIGKILL
        elif done.returncode:
            assert "OSError" in done.stderr, done.stderr
        store.write(checkpoint(3), keep=2)  # and what is left is in nobody's way
        assert last(store) == 3
        assert sorted(os.listdir(folder)) == store.names()


# --- disks


def test_a_file_system_that_is_full(tmp_path):
    """A real one of a megabyte."""
    with small_disk(tmp_path) as (folder, _):
        store = Store(folder / "checkpoints")
        store.write(checkpoint(1), keep=2)
        large = Snapshot({"a": np.zeros(1 << 20, "float32")}, {"epoch": 2, "step": 0})
        with pytest.raises(OSError) as error:
            store.write(large, keep=2)
        assert error.value.errno == errno.ENOSPC
        assert last(store) == 1
        assert os.listdir(store.folder) == store.names()
        store.write(checkpoint(3), keep=2)
        assert last(store) == 3


def test_a_file_that_may_not_grow_so_large(tmp_path):
    """Where nobody may mount: the limit that a process has for its files."""
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "from pathlib import Path; from tests.writer import checkpoint\n"
        "from zoo.runs.checkpoints import Store\n"
        "Store(Path(sys.argv[1])).write(checkpoint(2), keep=2)"
    )
    store = Store(tmp_path)
    store.write(checkpoint(1), keep=2)
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True)
    assert "File too large" in done.stderr
    assert last(store) == 1 and os.listdir(tmp_path) == store.names()


def test_links_and_pipes_are_not_followed(store, tmp_path):
    folder = store.folder / store.write(checkpoint(1), keep=1)
    arrays = folder / "arrays.safetensors"
    arrays.rename(tmp_path / "elsewhere")
    arrays.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Damaged):
        store.read(folder.name)
    arrays.unlink()
    os.mkfifo(arrays)
    with pytest.raises(Damaged):
        store.read(folder.name)
