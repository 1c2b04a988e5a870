"""How tests are shared out, and what may be skipped in CI."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import sharding, skips

pytestmark = pytest.mark.backend_free

RECORDED = {
    "jax": {"a.py": [4, 2.0], "a.py::long": [1, 8.0], "free.py": [2, 6.0]},
    "torch": {"a.py": [4, 1.0]},
}


def test_a_test_costs_what_it_did_or_what_its_file_does_or_what_is_usual():
    tests = ["a.py::short", "a.py::long", "free.py::x", "new.py::y"]
    assert sharding.seconds_of(tests, "jax", RECORDED) == [0.5, 8.0, 3.0, pytest.approx(11.5 / 3)]
    assert sharding.seconds_of(tests, "torch", RECORDED)[:3] == [0.25, 8.0, 3.0]
    assert sharding.seconds_of(tests, "jax", {}) == [sharding.UNKNOWN] * 4
    assert sharding.total("torch", RECORDED) == 1.0
    assert sharding.total("tensorflow", RECORDED) == sharding.total("jax", RECORDED) == 16.0


@pytest.mark.parametrize("seconds", [[1.0] * 10, [9.0, 1, 1, 1], [0.0] * 3, [], [1, 0, 5, 5, 0]])
@pytest.mark.parametrize("shards", [1, 2, 3, 7])
def test_every_test_is_in_one_shard_and_shards_are_pieces(seconds, shards):
    parts = [sharding.share(seconds, shard, shards) for shard in range(1, shards + 1)]
    assert [place for part in parts for place in part] == list(range(len(seconds)))


def test_shards_cost_the_same():
    seconds = [8.0, 1, 1, 1, 1, 1, 1, 1, 1]
    assert sharding.share(seconds, 1, 2) == [0]


def test_what_is_recorded_replaces_what_was_of_its_files_alone(tmp_path):
    found = sharding.merged(RECORDED["jax"], {"a.py::x": 0.25, "a.py::y": 0.5, "b.py::z": 9.0})
    assert found == {"free.py": [2, 6.0], "a.py": [2, 0.75], "b.py::z": [1, 9.0]}
    sharding.write({"jax": found}, tmp_path / "d.json")
    assert sharding.read(tmp_path / "d.json") == {"jax": found}
    assert sharding.read(tmp_path / "none.json") == {}


def test_slow_tests_are_named_until_they_are_marked():
    seconds = {"a.py::x": 11.0, "a.py::y": 12.0, "a.py::z": 9.0}
    assert sharding.unmarked(seconds, ["a.py::x"]) == ["a.py::y"]


# --- the options of conftest.py, in a pytest of their own

TESTS = """
import pytest

@pytest.mark.slow
def test_slow(): pass

def test_full(full): assert not full

def test_a(): pass

@pytest.mark.backend_free
def test_free(): pass

@pytest.mark.once_in_short
def test_once(): pass

def test_skipped(): pytest.skip(REASON)
"""
ROOT = Path(__file__).parent.parent


def outcomes(tmp_path, *options, reason="only one backend is installed", ci=""):
    """The last line of pytest, run on a file beside a copy of this folder's conftest.py."""
    (tmp_path / "conftest.py").write_text(Path(__file__).with_name("conftest.py").read_text())
    (tmp_path / "test_it.py").write_text(TESTS.replace("REASON", repr(reason)))
    command = f"-m pytest -q -c {ROOT / 'pyproject.toml'} --rootdir . -p no:cacheprovider".split()
    done = subprocess.run(
        [sys.executable, *command, tmp_path, *options],
        cwd=ROOT,
        env=os.environ | {"CI": ci},
        capture_output=True,
        text=True,
    )
    return done.stdout.strip().splitlines()[-1].partition(" in ")[0]


def test_slow_tests_are_left_out_unless_all_is_asked_for(tmp_path):
    assert outcomes(tmp_path) == "4 passed, 1 skipped, 1 deselected"
    assert outcomes(tmp_path, "--full") == "1 failed, 4 passed, 1 skipped"


def test_shards_and_backend_free_tests(tmp_path):
    assert outcomes(tmp_path, "--shard", "1/2") == "2 passed, 4 deselected"
    assert outcomes(tmp_path, "--shard", "2/2") == "2 passed, 1 skipped, 3 deselected"
    assert outcomes(tmp_path, "--only-backend-tests") == "2 passed, 1 skipped, 3 deselected"
    found = outcomes(tmp_path, "--only-backend-tests", "--full")
    assert found == "1 failed, 3 passed, 1 skipped, 1 deselected"


def test_a_skip_for_want_of_what_ci_installs_fails_there(tmp_path):
    assert outcomes(tmp_path, ci="true") == "1 failed, 4 passed, 1 deselected"
    allowed = "needs strace, and the right to trace"
    assert outcomes(tmp_path, reason=allowed, ci="true") == "4 passed, 1 skipped, 1 deselected"


def test_data_may_be_missing_where_no_folder_of_them_is_named(monkeypatch):
    monkeypatch.setenv("ZOO_DATA", "")
    assert skips.is_allowed("ZOO_DATA names no folder with MNIST")
    monkeypatch.setenv("ZOO_DATA", "somewhere")
    assert not skips.is_allowed("ZOO_DATA names no folder with MNIST")


def skips_by_backend(tree):
    """The nodes that skip a test, or a file, by the backend that it runs on."""
    for node in ast.walk(tree):
        called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        if called.endswith("skipif"):
            condition, skip = node.args[0], node
        elif isinstance(node, ast.If) and "pytest.skip(" in ast.unparse(node.body[0]):
            condition, skip = node.test, node.body[0]
        else:
            continue
        if re.search(r"(BACKEND|backend\(\)) [!=]= '", ast.unparse(condition)):
            yield skip


def test_ci_allows_each_reason_to_skip_by_the_backend():
    found = [
        (path.name, text.value)
        for path in sorted(Path(__file__).parent.glob("test_*.py"))
        for skip in skips_by_backend(ast.parse(path.read_text(encoding="utf-8")))
        for text in ast.walk(skip)
        if isinstance(text, ast.Constant) and isinstance(text.value, str) and " " in text.value
    ]
    assert len(found) > 20
    assert [place for place in found if not skips.is_allowed(place[1])] == []
