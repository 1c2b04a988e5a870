"""What losses and abilities promise to give, and what came instead."""

from __future__ import annotations

from numbers import Number
from typing import Any

import keras

from zoo.errors import ZooError, unknown
from zoo.plugin.declared import REGULARIZATION
from zoo.plugin.model import DataSpec
from zoo.runtime.backends import BACKENDS


def check(ability: str, out: Any, n: int | None, data: DataSpec, where: str) -> None:
    """Refuse what is not the one tensor that an ability promises; see ``zoo.Model``.

    Args:
        ability: its name.
        out: what came.
        n: examples that it is for; None where a compiler does not know.
        data: what the model was built for.
        where: the method, for the message.
    """
    shape: tuple = (n, *data.shape)
    if ability == "posterior":
        check("encode", out["draw"], n, data, where)
        out, ability = out["mean"], "encode"
    if ability in ("encode", "latent"):
        shape = (n, "latent_dim")
    elif ability == "log_likelihood":
        shape = (n,)
    elif ability == "classify":
        shape = (n, data.classes)
    came = tuple(getattr(out, "shape", ())) if hasattr(out, "shape") else None
    if came is None or len(came) != len(shape) or not all(map(_fits, came, shape)):
        promised = str(shape).replace("'", "")
        what = type(out).__name__ if came is None else f"shape {came}"
        raise ZooError(f"{where} gave {what}; for {n} examples it gives a tensor {promised}")


def prior(out: Any, where: str) -> Any:
    """What ``latent`` gave, refused unless it is a distribution; see ``zoo.Model``."""
    if callable(getattr(out, "sample", None)):
        return out
    what = "a tensor" if hasattr(out, "shape") else type(out).__name__
    raise ZooError(
        f"{where} gave {what}; it gives a distribution of one code, such as "
        "zoo.nn.distributions.StandardNormal(16)"
    )


def _fits(size, promised):
    return size is None or promised is None or isinstance(promised, str) or size == promised


def check_terms(returned, players, rows: int, where: str) -> dict[str, dict]:
    """What a loss returned, refused with a reason unless it is ``{player: {term: value}}``."""
    accepted = "a loss returns {player: {term: value}}"
    if not isinstance(returned, dict):
        raise ZooError(f"{where} returned {type(returned).__name__}; {accepted}")
    if not returned:
        raise ZooError(f"{where} returned no terms; {accepted}")
    for player, terms in returned.items():
        if player not in players:
            raise unknown("player", player, players, where=where)
        if not isinstance(terms, dict) or not terms:
            raise ZooError(
                f"{where} returned {type(terms).__name__} for player {player!r}; {accepted}"
            )
        for term, value in terms.items():
            check_backend(value, f"{where}: term {term!r} of {player!r}")
            if term in (REGULARIZATION, "loss"):
                raise ZooError(f"{where}: {term!r} of {player!r} is the zoo's; name the term apart")
            shape = () if isinstance(value, Number) else getattr(value, "shape", None)
            if shape is None or tuple(shape) not in ((), (rows,)):
                came = type(value).__name__ if shape is None else f"shape {tuple(shape)}"
                raise ZooError(
                    f"{where}: term {term!r} of {player!r} is a scalar or one value an "
                    f"example, shape (n,); for n = {rows} it came as {came}"
                )
    return returned


def check_backend(value, what: str) -> None:
    """Refuse a tensor of a backend that is not this process's; it would have no gradient."""
    origin, here = type(value).__module__.partition(".")[0], keras.backend.backend()
    origin = origin.removesuffix("lib")
    if origin in BACKENDS and origin != here:
        raise ZooError(
            f"{what} came as a tensor of {origin}, and this is {here}: "
            "make it with keras.ops, which works on every backend"
        )
