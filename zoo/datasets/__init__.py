"""Datasets, and the pipeline that feeds them to ``fit``.

A dataset is a frozen dataclass of settings; its ``load`` gives a ``Data`` with
train, validation and test apart. Nothing is read, downloaded or imported before.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.datasets.arrays import Arrays
    from zoo.datasets.base import Access, Data, Dataset, Modes, Pictures, Split
    from zoo.datasets.cifar10 import CIFAR10
    from zoo.datasets.digits import Digits
    from zoo.datasets.fashion_mnist import FashionMNIST
    from zoo.datasets.folder import Folder
    from zoo.datasets.grid import Grid
    from zoo.datasets.huggingface import HuggingFace
    from zoo.datasets.lazy import Lazy
    from zoo.datasets.mnist import MNIST
    from zoo.datasets.moons import Moons
    from zoo.datasets.pipeline import Batches
    from zoo.datasets.ring import Ring
    from zoo.datasets.sprites import Sprites
    from zoo.datasets.stacked_mnist import StackedMNIST
    from zoo.datasets.swiss_roll import SwissRoll
    from zoo.datasets.tfds import TFDS

_HOMES = {
    "Access": "base",
    "Arrays": "arrays",
    "Batches": "pipeline",
    "CIFAR10": "cifar10",
    "Data": "base",
    "Dataset": "base",
    "Digits": "digits",
    "FashionMNIST": "fashion_mnist",
    "Folder": "folder",
    "Grid": "grid",
    "HuggingFace": "huggingface",
    "Lazy": "lazy",
    "MNIST": "mnist",
    "Modes": "base",
    "Moons": "moons",
    "Pictures": "base",
    "Ring": "ring",
    "Split": "base",
    "Sprites": "sprites",
    "StackedMNIST": "stacked_mnist",
    "SwissRoll": "swiss_roll",
    "TFDS": "tfds",
}

__all__ = [
    "CIFAR10",
    "MNIST",
    "TFDS",
    "Access",
    "Arrays",
    "Batches",
    "Data",
    "Dataset",
    "Digits",
    "FashionMNIST",
    "Folder",
    "Grid",
    "HuggingFace",
    "Lazy",
    "Modes",
    "Moons",
    "Pictures",
    "Ring",
    "Split",
    "Sprites",
    "StackedMNIST",
    "SwissRoll",
]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__():
    return sorted({*globals(), *__all__})
