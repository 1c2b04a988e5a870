"""The one writer of a run's files: whole or not at all, and through no planted link."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.manifests import fields
from tests.writer import checkpoint
from zoo.errors import ZooError
from zoo.reports import pictures
from zoo.runs import folders, locks
from zoo.runs.checkpoints import Store
from zoo.runtime import writer

pytestmark = pytest.mark.backend_free

OLD = 2 * 60.0


@pytest.fixture
def victim(tmp_path):
    """A file outside of the run, which has to keep its content."""
    path = tmp_path / "victim" / "file"
    path.parent.mkdir()
    path.write_text("precious")
    yield path
    assert path.read_text() == "precious" and os.listdir(path.parent) == ["file"]


@pytest.fixture
def run(tmp_path):
    return folders.create(tmp_path / "runs", "r", **fields())


def test_a_file_is_written_with_its_folders_and_hashed(tmp_path):
    digest = writer.write(tmp_path / "a" / "b" / "c", [b"ab", memoryview(b"c")], tmp_path)
    assert (tmp_path / "a" / "b" / "c").read_bytes() == b"abc"
    assert digest == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert os.listdir(tmp_path / "a" / "b") == ["c"]


def test_a_link_in_a_files_place_is_replaced(run, victim):
    for name in ("results.json", "evaluation.json"):
        (run.path / name).symlink_to(victim)
        run.write_json(name, {"a": 1})
        assert not (run.path / name).is_symlink() and run.read_json(name) == {"a": 1}


def test_guessable_temporary_names_lead_nowhere(run, victim):
    for pid in range(os.getpid() - 5, os.getpid() + 5):
        for name in ("run.json", "results.json", "x.png"):
            for planted in (f".{name}.{pid}", f".{name}.{pid}.part", f"{name}.{pid}.tmp"):
                (run.path / planted).symlink_to(victim)
    run.update(epoch=1)
    run.write_json("results.json", {})
    pictures.save(run.path / "x.png", np.zeros((4, 4, 3), "uint8"), run.path)


@pytest.mark.parametrize("linked", ["pictures", "pictures/deep"])
def test_a_folder_that_is_a_link_is_refused(run, victim, linked):
    (run.path / linked).parent.mkdir(exist_ok=True)
    (run.path / linked).symlink_to(victim.parent)
    with pytest.raises(OSError):
        path = run.path / "pictures" / "deep" / "x.png"
        pictures.save(path, np.zeros((4, 4, 3), "uint8"), run.path)


def test_checkpoints_elsewhere_are_not_written_nor_removed(run, victim):
    run.checkpoints.symlink_to(victim.parent)
    with pytest.raises(OSError):
        Store(run.checkpoints).write(checkpoint(1), keep=1)


def test_planted_leftovers_of_a_checkpoint_are_not_emptied(run, victim):
    run.checkpoints.mkdir()
    for name in (".checkpoint-000001", writer.new_name("dir"), "checkpoint-000001"):
        (run.checkpoints / name).symlink_to(victim.parent)
    store = Store(run.checkpoints)
    name = store.write(checkpoint(1), keep=1)
    assert store.names() == [name] == ["checkpoint-000002"]


def test_a_lock_that_is_a_link_is_refused(run, victim):
    (run.path / locks.FILE).symlink_to(victim)
    with pytest.raises(ZooError, match="cannot write"), locks.held(run.path):
        pass


def test_leftovers_of_killed_writers_are_swept(tmp_path):
    code = (
        "import os, signal, sys; from pathlib import Path; from zoo.runtime import writer\n"
        "def parts():\n    yield b'half'\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "writer.write(Path(sys.argv[1]), parts(), None)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "x"])
    assert done.returncode == -signal.SIGKILL
    [left] = os.listdir(tmp_path)
    writer.write(tmp_path / "x", b"whole", None)
    assert sorted(os.listdir(tmp_path)) == [left, "x"]  # too young to be sure
    os.utime(tmp_path / left, (time.time() - OLD,) * 2)
    writer.write(tmp_path / "x", b"whole", None)
    assert os.listdir(tmp_path) == ["x"]


def test_what_another_process_is_writing_stays(tmp_path):
    def parts():
        [temporary] = os.listdir(tmp_path)
        os.utime(tmp_path / temporary, (time.time() - OLD,) * 2)
        writer.write(tmp_path / "other", b"b", None)
        yield b"a"

    writer.write(tmp_path / "x", parts(), None)
    assert sorted(os.listdir(tmp_path)) == ["other", "x"]


def test_a_link_among_the_leftovers_is_not_followed(tmp_path, victim):
    planted = tmp_path / writer.new_name("tmp")
    planted.symlink_to(victim)
    os.utime(planted, (time.time() - OLD,) * 2, follow_symlinks=False)
    writer.write(tmp_path / "x", b"whole", None)
    with writer.folder(tmp_path, None) as inside:
        writer.sweep(inside, mine=True)
    assert not planted.is_symlink()


def test_an_error_names_the_file_and_not_its_temporary_name(tmp_path):
    (tmp_path / "x").mkdir()  # which no file can take the place of
    with pytest.raises(OSError) as found:
        writer.write(tmp_path / "x", b"whole", None)
    assert found.value.filename == str(tmp_path / "x")
    assert os.listdir(tmp_path) == ["x"] and ".zoo-" not in str(found.value)
