"""What to say of a term that is no longer finite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from zoo.datasets import Batches, Split
from zoo.engine.model import GenerativeModel
from zoo.errors import ZooError
from zoo.plugin.examples import check_finite, first_not_finite


def first_broken(logs: np.ndarray) -> int | None:
    """The first row of ``(steps, terms)`` with a number that is not finite, or None."""
    fine = np.isfinite(logs).all(axis=1)
    return None if fine.all() else int(np.argmin(fine))


def blamed(model: GenerativeModel, names: Sequence[str], values: np.ndarray) -> str:
    """The terms that are not finite, or where all are the totals, in words.

    Args:
        model: whose terms they are.
        names: of the values, as in the logs.
        values: of one step, ``(terms,)``.
    """
    broken = [name for name, value in zip(names, values, strict=True) if not np.isfinite(value)]
    terms = [name for name in broken if not name.endswith("loss")] or broken
    parts = [name.rpartition("/") for name in terms]
    text = ", ".join(f"{t} of player {p}{_method(model, p, t)}" if p else t for p, _, t in parts)
    return f"{text} {'is' if len(terms) == 1 else 'are'}"


def in_batch(batches: Batches, step: int) -> str:
    """Where the batch of a step of this epoch is not finite, in words; empty where it is."""
    rows = batches.rows(batches.epoch, step)
    given = batches[step][0]
    sources = given if isinstance(given, dict) else {"x": given}
    for x, after in ((batches.split.x[rows], ""), (sources["x"], ", after augmentation")):
        found = first_not_finite(np.asarray(x))
        if found is not None:
            row = np.arange(len(batches.split))[rows][found[0]]
            where = f"row {row} of the training examples{after}"
            return f"Its batch holds values that are not finite: {where}"
    for name, x in sources.items():
        if first_not_finite(x) is not None:
            return f"Its batch holds values that are not finite: in source {name}"
    return ""


def in_results(name: str, terms: Mapping[str, float], split: Split) -> str:
    """What to tell of a split's terms that are not finite; empty where all are."""
    broken = [term for term, value in terms.items() if not np.isfinite(value)]
    if not broken:
        return ""
    told = f"{name}: {', '.join(broken)} not finite, null in results.json"
    try:
        check_finite(split.x, name)
    except ZooError as error:
        return f"{told}. {error}"
    return told


def _method(model: GenerativeModel, player: str, term: str) -> str:
    """The method that a term is from, as ``" (from VAE.elbo)"``; empty for a total."""
    for move, own in model.described_moves():
        if term in own.get(player, ()):
            return f" (from {model.where}.{move.name})"
    return ""
