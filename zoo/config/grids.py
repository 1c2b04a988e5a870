"""``key=a,b,c``: settings with several values each, and all combinations of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from zoo.config.values import literal
from zoo.errors import ZooError, shortened

MOST = 10_000
"""Combinations: more are a mistake in typing."""

_CLOSING = {"(": ")", "[": "]", "{": "}"}


def values(text: str) -> list[str]:
    """The values that commas part, but for commas within brackets or quotes.

    >>> values("8,16"), values("(256, 128),(512,)"), values("'a,b',c")
    (['8', '16'], ['(256, 128)', '(512,)'], ["'a,b'", 'c'])

    Raises:
        ZooError: a bracket is not closed, or a value is empty where there are several.
    """
    found, start, open_, place = [], 0, [], 0
    while place < len(text):
        sign = text[place]
        if sign in "\"'" and not text[start:place].strip(" ([{") and sign in text[place + 1 :]:
            place = text.index(sign, place + 1)
        elif sign in _CLOSING:
            open_.append(_CLOSING[sign])
        elif open_ and sign == open_[-1]:
            open_.pop()
        elif sign == "," and not open_:
            found.append(text[start:place].strip())
            start = place + 1
        place += 1
    if open_:
        raise ZooError(f"{shortened(text, 80)}: a bracket is not closed: {open_[-1]} is missing")
    found.append(text[start:].strip())
    if len(found) > 1 and not all(found):
        raise ZooError(
            f"{shortened(text, 80)}: a value is empty; values are parted by commas, and a tuple is "
            "in brackets: model.units=(256,128),(512,)"
        )
    return found


def combinations(changes: Sequence[str]) -> list[tuple[str, ...]]:
    """All combinations of the values of some changes, the last one varying fastest.

    >>> combinations(["epochs=3", "seed=0,1"])
    [('epochs=3', 'seed=0'), ('epochs=3', 'seed=1')]

    Raises:
        ZooError: a change is no ``key=value``, a key or a value is given twice, or there are too
            many.
    """
    listed: dict[str, list[str]] = {}
    count = 1
    for change in changes:
        key, sign, text = change.partition("=")
        if not sign or not key:
            raise ZooError(f"{shortened(repr(change), 80)}: a change is key=value, as in epochs=3")
        if key in listed:
            raise ZooError(f"{key} is given twice: give all its values at once, {key}=a,b")
        listed[key] = values(text)
        meant = [repr(literal(value)) for value in listed[key]]
        if len(set(meant)) < len(meant):
            raise ZooError(f"{key} has a value twice: {shortened(text, 80)}")
        count *= len(meant)
    if count > MOST:
        raise ZooError(f"these are {count:,} runs; at most {MOST:,} are made at once")
    each = ([f"{key}={value}" for value in several] for key, several in listed.items())
    return list(itertools.product(*each))


def settled(changes: Iterable[str]) -> dict[str, str]:
    """What changes come to, made one after the other: equal for those that mean the same.

    >>> settled(["epochs=3", "epochs=5"]) == settled(["epochs=5"])
    True
    >>> settled(["model.latent_dim=3", "model=iwae"])  # which is named anew
    {'model': "'iwae'"}
    """
    found: dict[str, str] = {}
    for change in changes:
        key, _, text = change.partition("=")
        found = {k: v for k, v in found.items() if not k.startswith(f"{key}.")}
        found[key] = repr(literal(text))
    return found
