"""Signs of how a model was when its training ended, as ``results.json`` holds them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zoo.errors import ZooError
from zoo.runtime.console import excerpt, printable

KEY = "signs"  # in results.json
STEPS, GAME_STEPS = 300, 2000
"""Steps before which samples of a model, and of one with several players, are not what they will
be: nobody looks at what it makes."""

MOST = 1e300
"""A number of a file may be so large: an integer may be larger than any float."""


def least_steps(players: int) -> int:
    """The steps before which a training is too short to judge."""
    return GAME_STEPS if players > 1 else STEPS


@dataclass(frozen=True)
class Signs:
    """What was seen of a model; of samples only where it makes them.

    Attributes:
        steps: that it was trained.
        duplicates: share of samples that are nearer to another sample than all but a hundredth of
            as many held-out examples are to each other; or None.
        coverage: share of held-out examples whose ball, up to their fifth neighbour, has a sample
            in it (Naeem et al. 2020); or None.
        coverage_of_real: the same with training examples in place of samples; or None.
        finite_samples: whether all numbers of the samples are finite.
        told_apart: ``{network: share of pairs of a real and a made example in which it gives the
            real one more}``: 0.5 is chance, 1 is always.
        kl: KL(q || p) of each latent dimension in nats, mean over examples; empty where there is
            none.
    """

    steps: int = 0
    duplicates: float | None = None
    coverage: float | None = None
    coverage_of_real: float | None = None
    finite_samples: bool = True
    told_apart: Mapping[str, float] = field(default_factory=dict)
    kl: list[float] = field(default_factory=list)

    def json(self) -> dict[str, Any]:
        """As ``results.json`` has it."""
        return dataclasses.asdict(self)


def parse(value: Any, where: str) -> Signs:
    """The signs that a JSON value is; what a field lacks is as if it had not been looked at.

    Raises:
        ZooError: a field is not what it may be.
    """
    if not isinstance(value, dict):
        raise ZooError(f"{where} is {excerpt(value)}; an object is accepted")

    def number(name: str, given: Any) -> float | None:
        if given is None:
            return None
        told = not isinstance(given, bool) and isinstance(given, (int, float))
        if not told or not -MOST <= given <= MOST:  # nor NaN, which no comparison holds for
            raise ZooError(f"{where}.{name} is {excerpt(given)}; a number is accepted")
        return float(given)

    apart, kl = value.get("told_apart") or {}, value.get("kl") or []
    if not isinstance(apart, dict) or not isinstance(kl, list):
        raise ZooError(f"{where}: told_apart is an object, and kl a list")
    shares = {printable(k): number(f"told_apart.{printable(k)}", v) for k, v in apart.items()}
    return Signs(
        steps=int(number("steps", value.get("steps")) or 0),
        duplicates=number("duplicates", value.get("duplicates")),
        coverage=number("coverage", value.get("coverage")),
        coverage_of_real=number("coverage_of_real", value.get("coverage_of_real")),
        finite_samples=value.get("finite_samples") is not False,
        told_apart={k: v for k, v in shares.items() if v is not None},
        kl=[math.nan if (v := number("kl", each)) is None else v for each in kl],
    )
