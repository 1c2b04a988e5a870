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


def nearest(word: object, accepted: Iterable[object]) -> str:
    """``"; did you mean 'kl'?"`` for the closest accepted spelling, else ``""``."""
    options = {str(option).lower(): str(option) for option in accepted}
    found = difflib.get_close_matches(str(word).lower(), list(options), n=1, cutoff=0.6)
    return f"; did you mean {options[found[0]]!r}?" if found else ""


def unknown(kind: str, word: object, accepted: Iterable[object], where: str = "") -> ZooError:
    """The error for a name that is not among those accepted.

    >>> str(unknown("term", "kll", ["reconstruction", "kl"], where="VAE"))
    "VAE: unknown term 'kll'; did you mean 'kl'? Accepted: kl, reconstruction."
    """
    names = sorted(str(name) for name in accepted)
    listed = f"Accepted: {', '.join(names)}." if names else "None is accepted here."
    guess = nearest(word, names)
    prefix = f"{where}: " if where else ""
    return ZooError(f"{prefix}unknown {kind} {word!r}{guess or '.'} {listed}")
