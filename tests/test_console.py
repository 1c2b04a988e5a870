"""Lines on a terminal, wide and narrow, and in a file."""

from __future__ import annotations

import io

import pytest

from zoo.reports import losses
from zoo.runtime import console

pytestmark = pytest.mark.backend_free


@pytest.fixture
def terminal(monkeypatch):
    def of(columns):
        monkeypatch.setenv("COLUMNS", str(columns))
        stream = io.StringIO()
        stream.isatty = lambda: True
        return stream

    return of


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("short", ["short"]),
        ("", [""]),
        ("a line of words that is longer", ["a line of words that", "is longer"]),
        ("  test  kl 24.12  rec 72.33", ["  test  kl 24.12", "    rec 72.33"]),
        ("    an indented line of words", ["    an indented", "      line of words"]),
        ("see runs/vae_mnist/20261129T1534 now", ["see", "runs/vae_mnist/20261129T1534", "now"]),
        ("key=value-with-hyphens-in-it", ["key=value-with-hyphens-in-it"]),
    ],
)
def test_lines_break_between_words_and_items(terminal, line, expected):
    assert console.fitted(f"{line}\nnext", terminal(20)) == "\n".join([*expected, "next"])
    assert console.fitted(line, terminal(100)) == line
    assert console.fitted(line, io.StringIO()) == line  # a file has no edge


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("of words, which is long", "of words, which is …"),
        ("of words, that is, longer", "of words, that is …"),
        ("of words that everybody reads", "of words that …"),
        ("w" * 30, "w" * 18 + " …"),
        ("short", "short"),
    ],
)
def test_a_table_is_cut_behind_a_word(terminal, line, expected):
    assert console.cut(line, terminal(20)) == expected
    assert console.cut(line, io.StringIO()) == line


@pytest.mark.parametrize("columns", ["", "0", "wide", "-3", "5"])
def test_odd_widths(monkeypatch, terminal, columns):
    assert console.fitted("some words", terminal(columns)) == "some words"


def test_a_line_that_is_said_fits_too(terminal):
    stream = terminal(20)
    console.write("a line of words that is longer", stream)
    assert stream.getvalue() == "a line of words that\nis longer\n"


def test_opposing_losses_are_not_summed():
    logs = {"loss": 2.1, "d/fake": 0.5, "d/loss": 1.2, "g/adversarial": 0.9, "g/loss": 0.9}
    assert losses.shown(logs) == ["d/loss 1.2", "g/loss 0.9"]
    assert losses.shown({"a/kl": 1.0, "loss": 2.0}, "val_") == ["val_loss 2", "val_a/kl 1"]
