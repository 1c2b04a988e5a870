"""What abilities promise to give, and what came instead."""

from __future__ import annotations

from typing import Any

from zoo.errors import ZooError
from zoo.plugin.model import DataSpec


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
