"""Errors that are told to a person in one message, without a traceback."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ZooError(Exception):
    """Something the user can put right: a wrong name, value, file or setting.

    The message says what was wrong, where, and what is accepted. The command
    line prints it alone and exits with ``exit_code``; in Python it is an
    ordinary exception.
    """

    exit_code = 2


class RunFailed(ZooError):
    """A run or a check that was rightly asked for did not succeed."""

    exit_code = 1


class Lost(RunFailed):
    """A process of a training has lost the others. Nothing is wrong with the run itself."""

    exit_code = 75  # as sendmail says of what may be tried again


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP ended a run, after a checkpoint; its argument is the signal's number."""


class CodeFailed(ZooError):
    """Code of a recipe or plugin raised an error, which is the ``__cause__`` of this one.

    The command line prints one message; ``ZOO_TRACEBACK=1`` has it print the traceback too.
    """


def shortened(text: str, length: int) -> str:
    """Text in one line of at most ``length`` characters.

    >>> shortened("a   b\\nc", 10)
    'a b c'
    """
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 4]} ..."


def nearest(word: object, accepted: Iterable[object]) -> str:
    """``"; did you mean 'kl'?"`` for the closest accepted spelling, else ``""``.

    A word that is spelt like none may be the short form of one: ``tf``, ``lr``.
    """
    options = {str(option).lower(): str(option) for option in accepted}
    typed = str(word).lower()
    found = difflib.get_close_matches(typed, list(options), n=1, cutoff=0.6)
    found = found or [option for option in options if _is_short(typed, option)]
    return f"; did you mean {options[found[0]]!r}?" if len(found) == 1 else ""


def _is_short(word: str, option: str) -> bool:
    """Whether a word has the first letter of another, and then some of its letters in order.

    >>> _is_short("tf", "tensorflow"), _is_short("lr", "learning_rate"), _is_short("fl", "tf")
    (True, True, False)
    """
    letters = iter(option)
    starts = len(word) > 1 and option.startswith(word[0])
    return starts and all(letter in letters for letter in word)


def unknown(kind: str, word: object, accepted: Iterable[object], where: str = "") -> ZooError:
    """The error for a name that is not among those accepted.

    >>> str(unknown("term", "kll", ["reconstruction", "kl"], where="VAE"))
    "VAE: unknown term 'kll'; did you mean 'kl'? Accepted: kl, reconstruction."
    """
    names = sorted(str(name) for name in accepted)
    listed = f"Accepted: {', '.join(names)}." if names else "None is accepted here."
    guess = nearest(word, names)
    prefix = f"{where}: " if where else ""
    return ZooError(f"{prefix}unknown {kind} {shortened(repr(word), 80)}{guess or '.'} {listed}")
