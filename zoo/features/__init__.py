"""Feature spaces: pictures as vectors, in which distributions are compared."""

from __future__ import annotations

from zoo.features.inception import Inception
from zoo.features.judge import Judge
from zoo.features.pixels import Pixels
from zoo.features.random_network import RandomNetwork
from zoo.plugin.features import Extractor

__all__ = ["Extractor", "Inception", "Judge", "Pixels", "RandomNetwork"]
