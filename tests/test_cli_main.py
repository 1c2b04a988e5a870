"""The command line itself: help, exit codes, interrupts, closed pipes, start-up time."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import sys
import time

import click
import pytest

from tests.manifests import fields
from tests.small_disk import small_disk
from zoo import cli
from zoo.errors import RunFailed, ZooError

pytestmark = pytest.mark.backend_free


@pytest.fixture
def command(monkeypatch):
    """Add the command ``try`` that calls a function."""

    def add(function):
        made = click.Command("try", callback=function)
        original = cli.Commands.get_command
        monkeypatch.setitem(cli.COMMANDS, "try", ("", "A command of the tests."))
        monkeypatch.setattr(
            cli.Commands,
            "get_command",
            lambda self, ctx, name: made if name == "try" else original(self, ctx, name),
        )

    return add


def raising(error):
    def function():
        raise error

    return function


@pytest.mark.parametrize("args", [["--help"], ["-h"]])
def test_help_names_every_command(capsys, args):
    assert cli.main(args) == 0
    out = capsys.readouterr().out
    for name, (_, line) in cli.COMMANDS.items():
        assert name in out and line in out


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_its_file_and_help(capsys, name):
    assert cli.main([name, "--help"]) == 0
    assert "Usage: zoo " + name in capsys.readouterr().out


def test_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("zoo 0.")


def test_a_misspelt_command_suggests_the_nearest(capsys):
    assert cli.main(["docter"]) == 2
    assert "no command 'docter'; did you mean 'doctor'?" in capsys.readouterr().err


def test_a_wrong_option_is_a_usage_error(capsys):
    assert cli.main(["list", "--jsn"]) == 2
    assert "--json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["run", "vae_mnist", "--epochs", "3"], "given without dashes: epochs=3"),
        (["run", "vae_mnist", "--epochs=3", "--json"], "given without dashes: epochs=3"),
        (["run", "x", "--batch-size", "64"], "given without dashes: dataset.batch_size=64"),
        (["resume", "x", "--lr", "1"], "given without dashes: optimizers.PLAYER.learning_rate=1"),
        (["compare", "x", "--model.latent-dim"], "given without dashes: model.latent_dim=VALUE"),
        (["check", "vae", "--units", "8"], "given without dashes: units=8"),
        (["run", "x", "--wat"], "given without dashes: KEY=VALUE, as in epochs=3"),
        (["run", "x", "--devise", "cpu"], "--device"),
        (["sample", "x", "--epochs", "3"], "No such option"),
    ],
)
def test_a_setting_typed_as_an_option_is_told_as_a_setting(capsys, args, told):
    assert cli.main(args) == 2
    assert told in capsys.readouterr().err


LONG = "a" * 20_000


@pytest.mark.parametrize(
    "args",
    [
        ["run", LONG],
        ["run", "x", f"--{LONG}"],
        ["sample", LONG],
        ["sample", "x", "--seed", "9" * 5000],
        ["sample", "x", "-n", "9" * 300],
        ["list", LONG],
        ["list", "--" + "runs", LONG, "x"],
        ["check", LONG],
        ["parity", LONG],
        ["check", "vae", "--shape", "9" * 5000],
    ],
)
def test_what_is_long_is_refused_in_a_short_message(capsys, args):
    assert cli.main(args) == 2
    out, err = capsys.readouterr()
    assert out == "" and 0 < len(err) < 1500


@pytest.mark.parametrize(
    ("error", "status"), [(ZooError("no such thing"), 2), (RunFailed("no such thing"), 1)]
)
def test_a_mistake_is_one_message_without_traceback(capsys, command, error, status):
    command(raising(error))
    assert cli.main(["try"]) == status
    captured = capsys.readouterr()
    assert captured.err == "zoo: no such thing\n"
    assert captured.out == ""


@pytest.mark.parametrize(
    "error", [MemoryError("Unable to allocate 7 GiB"), RuntimeError("CUDA out of memory.\n")]
)
def test_memory_that_is_full_is_told(capsys, command, error):
    command(raising(error))
    assert cli.main(["try"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("zoo: out of memory (") and "Take smaller settings" in told


def test_an_interrupt_is_130(command):
    command(raising(KeyboardInterrupt()))
    assert cli.main(["try"]) == 130


def test_a_bug_keeps_its_traceback(command):
    command(raising(RuntimeError("a bug")))
    with pytest.raises(RuntimeError, match="a bug"):
        cli.main(["try"])


@pytest.mark.parametrize(("result", "status"), [(None, 0), (1, 1), ("text", 0)])
def test_a_command_may_return_its_exit_status(command, result, status):
    command(lambda: result)
    assert cli.main(["try"]) == status


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_a_closed_pipe_is_quiet():
    zoo = shlex.join([sys.executable, "-m", "zoo", "list"])
    done = subprocess.run(f"{zoo} | true", shell=True, capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr == ""


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("args", "status"), [("list models", 0), ("run nothing", 2)])
def test_closed_streams_do_not_matter(tmp_path, closed, args, status):
    zoo = shlex.join([sys.executable, "-m", "zoo", *args.split()])
    done = subprocess.run(f"{zoo} {closed}", shell=True, capture_output=True, text=True)
    assert done.returncode == status
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr
    assert bool(done.stdout) == (status == 0 and ">&-" not in closed.replace("2>&-", ""))


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_files_made_with_a_closed_stdout_hold_their_content_alone(tmp_path):
    zoo = shlex.join([sys.executable, "-m", "zoo", "new", "recipe", "mine", "--from", "vae_mnist"])
    done = subprocess.run(f"{zoo} >&- 2>&-", shell=True, cwd=tmp_path, capture_output=True)
    assert done.returncode == 0
    assert "zoo.Recipe(" in (tmp_path / "mine.py").read_text()


ROOM = "Make room, then type the command again"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("args", ["list", "--help", "list models --json", "show vae_mnist"])
def test_a_full_disk_behind_stdout_is_told(args):
    zoo = shlex.join([sys.executable, "-m", "zoo", *args.split()])
    done = subprocess.run(f"{zoo} > /dev/full", shell=True, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("zoo: cannot write") and ROOM in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_is_told_alike_wherever_it_is_met(tmp_path, monkeypatch, capsys):
    from zoo.runs import folders
    from zoo.runs.run import Run

    with small_disk(tmp_path) as (folder, _):
        with contextlib.suppress(OSError), open(folder / "much", "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        monkeypatch.chdir(folder)
        (folder / "run").mkdir()  # without a block of its own
        for args in (["new", "recipe", "mine", "--from", "vae_mnist"], ["new", "plugin", "mine"]):
            assert cli.main(args) == 1
            assert ROOM in capsys.readouterr().err
        monkeypatch.undo()  # to leave the disk
        for writes in (
            lambda: folders.create(folder / "runs", "recipe", **fields()),
            lambda: Run(folder / "run").write_json("results.json", {"a": "b" * 5000}),
        ):
            with pytest.raises(RunFailed, match=ROOM):
                writes()


ANY = "import click, dataclasses, email.message, importlib.metadata, inspect, subprocess, typing"
"""What a command line of Python imports anyhow. It tells the pace of the machine."""


@pytest.mark.skipif(os.name == "nt", reason="needs os.wait4")
@pytest.mark.parametrize("args", [["--help"], ["list"]])
def test_starting_takes_less_than_0_3_seconds(args, tmp_path):
    # Compiled once, as installed modules are, also where this process may not write them.
    env = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    env.pop("PYTHONDONTWRITEBYTECODE", None)

    def seconds(*words: str) -> float:
        started = time.perf_counter()
        command = [sys.executable, *words]
        child = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        assert child.returncode == 0
        # The processor's time, where others keep the machine busy.
        return min(wall, usage.ru_utime + usage.ru_stime)

    pairs = [(seconds("-m", "zoo", *args), seconds("-c", ANY)) for _ in range(7)]
    ours, pace = (min(column) for column in zip(*pairs, strict=True))
    # Of a machine that is slower, or shares its caches with others, more is allowed.
    assert ours < 0.3 * max(1, pace / 0.12)
