"""Datasets, and the pipeline that feeds them to ``fit``.

A dataset is a frozen dataclass of settings; its ``load`` gives a ``Data`` with
train, validation and test apart. Nothing is read, downloaded or imported before.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.datasets.base import Access, Data, Dataset, Split
    from zoo.datasets.digits import Digits
    from zoo.datasets.mnist import MNIST
    from zoo.datasets.pipeline import Batches

__all__ = ["MNIST", "Access", "Batches", "Data", "Dataset", "Digits", "Split"]

_HOMES = {
    "Access": "base",
    "Batches": "pipeline",
    "Data": "base",
    "Dataset": "base",
    "Digits": "digits",
    "MNIST": "mnist",
    "Split": "base",
}


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__():
    return sorted({*globals(), *__all__})
