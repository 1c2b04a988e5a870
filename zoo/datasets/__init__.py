"""Datasets, and the pipeline that feeds them to ``fit``.

A dataset is a frozen dataclass of settings; its ``load`` gives a ``Data`` with
train, validation and test apart. Nothing is read, downloaded or imported before.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.datasets.arrays import Arrays
    from zoo.datasets.cifar10 import CIFAR10
    from zoo.datasets.digits import Digits
    from zoo.datasets.fashion_mnist import FashionMNIST
    from zoo.datasets.folder import Folder
    from zoo.datasets.grid import Grid
    from zoo.datasets.huggingface import HuggingFace
    from zoo.datasets.mnist import MNIST
    from zoo.datasets.moons import Moons
    from zoo.datasets.pictures import Pictures
    from zoo.datasets.pipeline import Batches
    from zoo.datasets.ring import Ring
    from zoo.datasets.sources import Sources
    from zoo.datasets.sprites import Sprites
    from zoo.datasets.stacked_mnist import StackedMNIST
    from zoo.datasets.swiss_roll import SwissRoll
    from zoo.datasets.tfds import TFDS
    from zoo.plugin.dataset import Access, Data, Modes, Split
    from zoo.plugin.lazy import Lazy

_HOMES = {
    "Access": "zoo.plugin.dataset",
    "Arrays": "zoo.datasets.arrays",
    "Batches": "zoo.datasets.pipeline",
    "CIFAR10": "zoo.datasets.cifar10",
    "Data": "zoo.plugin.dataset",
    "Digits": "zoo.datasets.digits",
    "FashionMNIST": "zoo.datasets.fashion_mnist",
    "Folder": "zoo.datasets.folder",
    "Grid": "zoo.datasets.grid",
    "HuggingFace": "zoo.datasets.huggingface",
    "Lazy": "zoo.plugin.lazy",
    "MNIST": "zoo.datasets.mnist",
    "Modes": "zoo.plugin.dataset",
    "Moons": "zoo.datasets.moons",
    "Pictures": "zoo.datasets.pictures",
    "Ring": "zoo.datasets.ring",
    "Sources": "zoo.datasets.sources",
    "Split": "zoo.plugin.dataset",
    "Sprites": "zoo.datasets.sprites",
    "StackedMNIST": "zoo.datasets.stacked_mnist",
    "SwissRoll": "zoo.datasets.swiss_roll",
    "TFDS": "zoo.datasets.tfds",
}

__all__ = [
    "CIFAR10",
    "MNIST",
    "TFDS",
    "Access",
    "Arrays",
    "Batches",
    "Data",
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
    "Sources",
    "Split",
    "Sprites",
    "StackedMNIST",
    "SwissRoll",
]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__():
    return sorted({*globals(), *__all__})
