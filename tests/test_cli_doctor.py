from __future__ import annotations

import json

import pytest

from zoo import cli
from zoo.cli import doctor
from zoo.engine import accelerate
from zoo.runtime import backends

pytestmark = pytest.mark.backend_free


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("ZOO_RUNS", "ZOO_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


@pytest.fixture
def child(monkeypatch):
    """Only JAX is there, and its child process runs this code."""

    def use(code: str):
        monkeypatch.setattr(backends, "installed", lambda: ("jax",))
        monkeypatch.setitem(doctor.DEVICES, "jax", code)
        monkeypatch.setattr(doctor, "MULTIPLY", "")

    return use


WORKS = """print('noise\\n{"version": "1.2", "devices": ["cpu:0"]}')"""


def report(capsys, *args, status=0):
    assert cli.main(["doctor", "--json", *args]) == status
    return json.loads(capsys.readouterr().out)


@pytest.mark.slow
def test_installed_backends_work_in_processes_of_their_own(capsys, monkeypatch):
    left_out = {"jax": "malloc", "tensorflow": "tensorflow_adam", "torch": "torch_adam"}
    monkeypatch.setenv("ZOO_ACCELERATE", "-malloc,-tensorflow_adam,-torch_adam")
    found = report(capsys)
    for name in backends.BACKENDS:
        if name in backends.installed():
            assert found["backends"][name]["works"], found["backends"][name]
            assert found["backends"][name]["version"][0].isdigit()
            assert any("cpu" in device.lower() for device in found["backends"][name]["devices"])
            listed = {own["name"]: own for own in found["backends"][name]["accelerations"]}
            assert listed == {
                entry.name: {"name": entry.name, "on": False, "why": "left out by ZOO_ACCELERATE"}
                if entry.name == left_out[name]
                else listed[entry.name]
                for entry in accelerate.TABLE
                if name in entry.backends
            }
            assert all(own["on"] or own["why"] for own in listed.values())
        else:
            assert "keras-zoo" in found["backends"][name]["fix"]
    assert found["ready"]


def test_the_backend_that_is_taken_and_why(child, capsys, monkeypatch):
    child(WORKS)
    monkeypatch.setattr(backends, "_running", lambda: None)
    for variable, name, why in [("jax", "jax", "KERAS_BACKEND"), ("tf", None, "unknown backend")]:
        monkeypatch.setenv("KERAS_BACKEND", variable)
        monkeypatch.setattr(backends, "_settled", None)
        found = report(capsys)["backend"]
        assert found["name"] == name and why in found["why"]


def test_the_text_ends_with_a_verdict(child, capsys):
    child(WORKS)
    assert cli.main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "Ready, on jax. Try: zoo run vae_mnist"
    text = "\n".join(lines)
    assert "1.2 works on cpu:0" in text
    assert 'not installed. To install it: pip install "keras-zoo[torch]"' in text
    assert "GB free" in text


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("raise RuntimeError('no lib')", "RuntimeError: no lib"),
        ("import os; os.kill(os.getpid(), 11)", "crashed with SIGSEGV"),
        ("import sys; sys.exit(3)", "exit status 3"),
        ("print('no answer')", "did not answer"),
        ("import time; time.sleep(60)", "no answer within 1 s"),
    ],
)
def test_a_backend_that_does_not_work_is_told_and_is_exit_1(child, capsys, monkeypatch, code, why):
    monkeypatch.setattr(doctor, "SECONDS", 1 if "sleep" in code else 60)
    child(code)
    found = report(capsys, status=1)
    assert not found["backends"]["jax"]["works"]
    assert why in found["backends"]["jax"]["why"]
    assert found["verdict"].startswith("Not ready: no backend works")


def test_a_file_in_the_working_folder_is_no_backend(child, tmp_path, capsys):
    (tmp_path / "made_up.py").write_text("")
    child("import made_up")
    assert "No module named" in report(capsys, status=1)["backends"]["jax"]["why"]


def test_accelerations_are_listed(child, capsys):
    listed = [{"name": "a", "on": True, "why": ""}, {"name": "bc", "on": False, "why": "no room"}]
    child(
        f"print({json.dumps({'version': '1.2', 'devices': ['cpu:0'], 'accelerations': listed})!r})"
    )
    assert cli.main(["doctor"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert "a   on" in lines
    assert "bc  off: no room" in lines


def test_an_acceleration_that_there_is_not(capsys, monkeypatch):
    monkeypatch.setenv("ZOO_ACCELERATE", "-malock")
    assert cli.main(["doctor"]) == 2
    assert "ZOO_ACCELERATE: unknown acceleration 'malock'; did you" in capsys.readouterr().err


def test_a_gpu_that_a_backend_does_not_use(child, capsys, monkeypatch):
    child(WORKS)
    monkeypatch.setattr(backends, "gpus", lambda: 1)
    assert cli.main(["doctor"]) == 0
    assert 'pip install "keras-zoo[jax-cuda]"' in capsys.readouterr().out


def test_data_that_is_missing_or_damaged(child, tmp_path, capsys):
    child(WORKS)
    assert "will try to download" in report(capsys)["data"]["why"]
    (tmp_path / "mnist.npz").write_bytes(b"half a file")
    found = report(capsys, "--data-dir", str(tmp_path))["data"]
    assert found["mnist"] is None
    assert "mnist.npz is not used" in found["why"]


def test_a_folder_for_runs_that_cannot_be_written(child, tmp_path, capsys):
    child(WORKS)
    (tmp_path / "runs").write_text("a file")
    found = report(capsys, status=1)
    assert found["runs"]["writable"] is False
    assert "runs cannot be written" in found["verdict"]
    (tmp_path / "runs").unlink()
    assert report(capsys)["runs"]["writable"]
    assert not (tmp_path / "runs").exists()
