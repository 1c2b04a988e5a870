"""The checks, a file for each thing that they look at; importing them lists them."""

from zoo.testing.checks import (  # isort: skip  # in the order in which they are run
    definition,
    networks,
    losses,
    training,
    randomness,
    abilities,
    saving,
    compilers,
    datasets,
    metrics,
    features,
)
from zoo.testing.checks.listing import CHECKS

__all__ = [
    "CHECKS",
    "abilities",
    "compilers",
    "datasets",
    "definition",
    "features",
    "losses",
    "metrics",
    "networks",
    "randomness",
    "saving",
    "training",
]
