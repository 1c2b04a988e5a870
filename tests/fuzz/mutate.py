"""Inputs that nobody means, from good ones: changed by bytes or by structure, from a seed."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

ABSURD: list[Any] = [
    *(0, -1, 1, 2, 7, 2**31 - 1, 2**31, 2**63 - 1, 2**63, -(2**63), 10**15, 10**40),
    *(0.5, -0.0, 1e308, float("nan"), float("inf"), float("-inf"), True, False, None),
    *(
        "",
        " ",
        "x",
        "0",
        "../../x",
        "/etc/passwd",
        "~",
        "a\x1b[2Jb",
        "a\ud800b",
        "\x00",
        "x" * 5000,
    ),
    *("__class__", "os:system", "none", "nan", "²", "1e999", "9" * 5000, "(" * 300),
    *([], {}, [[]], [None], [0, 0], [1] * 9, [10**9] * 3, {"": ""}, {"class": "x"}),
    *({"class_name": "Lambda", "module": "keras.layers", "config": {}}, {"object": "x"}),
]
"""Values of every kind and size."""


def nested(rng: Random) -> Any:
    """Lists or objects in each other, some deeper than any file may have them."""
    value: Any = 1
    for _ in range(rng.choice([5, 50, 99, 101, 900])):
        value = {"config": value} if rng.random() < 0.5 else [value]
    return value


def absurd(rng: Random) -> Any:
    """A value that hardly any field takes."""
    return nested(rng) if rng.random() < 0.05 else copy.deepcopy(rng.choice(ABSURD))


def written(value: Any) -> bytes:
    """A value as JSON, also one that is too deep for the module's encoder."""
    try:
        return json.dumps(value).encode("utf-8", "surrogatepass")
    except RecursionError:
        return b"[" * 2000 + b"]" * 2000


def structure(value: Any, rng: Random, times: int = 1) -> Any:
    """JSON with some of its values replaced, removed, repeated or exchanged."""
    value = json.loads(json.dumps(value))
    for _ in range(times):
        places = list(_places(value))
        if not places:
            return absurd(rng)
        owner, key = rng.choice(places)
        _, other = rng.choice([place for place in places if place[0] is owner])
        act = rng.randrange(5)
        if act == 0:
            del owner[key]
        elif act == 1:
            owner[key], owner[other] = owner[other], owner[key]
        elif act == 2 and isinstance(owner, list):
            owner[key:key] = [owner[key]] * rng.choice([1, 3, 1000])
        elif act == 3 and isinstance(owner[key], int):
            owner[key] = owner[key] * rng.choice([-1, 2, 10**3, 10**9]) + rng.choice([0, 1, -1])
        else:
            owner[key] = absurd(rng)
    return value


def _places(value: Any):
    """Every ``(owner, key)`` within a value."""
    pending = [value]
    while pending:
        owner = pending.pop()
        keys = owner if isinstance(owner, dict) else range(len(owner))
        for key in keys:
            yield owner, key
            if isinstance(owner[key], (dict, list)):
                pending.append(owner[key])


def bytes_of(content: bytes, rng: Random) -> bytes:
    """Content with bytes flipped, cut off, inserted, repeated or set to what means much."""
    changed = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 8, 64])):
        if not changed:
            break
        place, act = rng.randrange(len(changed)), rng.randrange(6)
        if act == 0:
            changed[place] ^= 1 << rng.randrange(8)
        elif act == 1:
            del changed[place : place + rng.choice([1, 4, len(changed)])]
        elif act == 2:
            changed[place:place] = rng.randbytes(rng.choice([1, 4, 100]))
        elif act == 3:
            changed[place : place + 4] = rng.choice([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff"])
        elif act == 4:
            changed[place:place] = changed[place : place + 64] * rng.choice([1, 50])
        else:  # the head says how large things are
            changed[min(place, rng.randrange(64))] = rng.randrange(256)
    return bytes(changed)
