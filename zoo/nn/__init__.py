"""What models are made of: networks, distributions, losses, layers, schedules, samplers."""

from __future__ import annotations

import importlib

__all__ = [
    "augment",
    "distributions",
    "layers",
    "losses",
    "networks",
    "noise",
    "packing",
    "samplers",
    "schedules",
    "unet",
]


def __getattr__(name: str):
    if name not in __all__:
        raise AttributeError(f"module 'zoo.nn' has no attribute {name!r}")
    return importlib.import_module(f"zoo.nn.{name}")
