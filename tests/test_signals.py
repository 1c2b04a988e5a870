"""Ctrl-C, SIGTERM and a closed terminal, once and twice."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from zoo.errors import Terminated
from zoo.training.signals import Interruption

pytestmark = [
    pytest.mark.backend_free,
    pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="needs POSIX signals"),
]

STEP = """
import hashlib, sys
from zoo.training.signals import Interruption, at_once
with at_once(lambda: print("by force", flush=True)), Interruption(lambda line: None) as asked:
    print("begun", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)  # one instruction of Python, for minutes
"""


@pytest.fixture
def said():
    """Handlers as a process has them at its start; afterwards those of the tests."""
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield []
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (signal.SIGINT, KeyboardInterrupt),
        (signal.SIGTERM, Terminated),
        (signal.SIGHUP, Terminated),
    ],
)
def test_the_first_is_noted(said, number, error):
    with Interruption(said.append) as asked:
        assert not asked.asked
        signal.raise_signal(number)
        assert asked.asked and asked.number == number
        with pytest.raises(error) as found:
            asked.end()
    assert type(found.value) is error
    assert said[0].endswith("stops at once" if number != signal.SIGHUP else "after this step")
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL  # as before


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_raises_within_the_step(said, second):
    with pytest.raises(KeyboardInterrupt), Interruption(said.append):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(second)
    assert len(said) == 1


def test_a_terminal_hangs_up_more_than_once(said):
    with Interruption(said.append) as asked:
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGHUP)
    assert asked.number == signal.SIGHUP and len(said) == 1


def test_what_was_ignored_stays_ignored(said):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup has it
    with Interruption(said.append) as asked:
        signal.raise_signal(signal.SIGHUP)
    assert not asked.asked


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_ends_a_step_that_takes_minutes(second):
    process = subprocess.Popen([sys.executable, "-c", STEP], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "begun\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        assert process.poll() is None  # once, it waits for the step
        process.send_signal(second)
        began = time.monotonic()
        assert process.wait(30) == 128 + second
        assert time.monotonic() - began < 15  # a second, and what a busy machine adds
        assert process.stdout.read() == "by force\n"
    finally:
        process.kill()
        process.stdout.close()


def test_the_command_says_by_its_status_what_ended_it():
    from zoo.cli.run import carried_out

    def ended(error):
        def train(begun):
            raise error

        return carried_out(train, as_json=False)

    assert ended(KeyboardInterrupt()) == 130
    assert ended(Terminated(int(signal.SIGTERM))) == 143
    assert ended(Terminated(int(signal.SIGHUP))) == 129
