"""What to say of a term that is no longer finite."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.engine.model import GenerativeModel


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


def _method(model: GenerativeModel, player: str, term: str) -> str:
    """The method that a term is from, as ``" (from VAE.elbo)"``; empty for a total."""
    for move, own in model.described_moves():
        if term in own.get(player, ()):
            return f" (from {model.where}.{move.name})"
    return ""
