"""What a posterior q(z|x) says of the codes of examples."""

from __future__ import annotations

import contextlib
from typing import Any

from keras import ops

from zoo.errors import ZooError


def check(q: Any, where: str) -> Any:
    """The posterior itself, refused unless it is a distribution with a mean."""
    methods = all(callable(getattr(q, name, None)) for name in ("sample", "log_prob"))
    if not methods or getattr(q, "mean", None) is None:
        what = "a tensor" if hasattr(q, "shape") else type(q).__name__
        raise ZooError(
            f"{where} gave {what}; it gives a distribution with a row for each example, such as "
            "zoo.nn.distributions.Normal(mean, log_var)"
        )
    return q


def said(q: Any, prior: Any, rng: Any, where: str) -> dict[str, Any]:
    """The tensors that ``model.posterior`` gives.

    Args:
        q: what a model's ability ``posterior`` gave, a row for each example.
        prior: p(z), or None.
        rng: of the draw.
        where: the ability, for messages.

    Raises:
        ZooError: it is no distribution with a mean.
    """
    check(q, where)
    z = q.sample(rng)
    found = {"mean": q.mean, "draw": z}
    if prior is None:
        return found
    formula = getattr(q, "kl_per_dimension", None)
    with contextlib.suppress(ZooError):  # there is none for such a prior
        found |= {"kl": formula(prior)} if formula else {}
    if "kl" in found:
        return found | {"rate": ops.sum(found["kl"], axis=1)}
    return found | {"rate": q.log_prob(z) - prior.log_prob(z)}
