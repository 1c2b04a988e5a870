"""Layers that Keras lacks, or whose noise has to come from the step's counter."""

from __future__ import annotations

from zoo.layers.dropout import Dropout
from zoo.layers.gaussian_noise import GaussianNoise
from zoo.layers.layer_normalization import LayerNormalization
from zoo.layers.masking import Masking
from zoo.layers.maxout import Maxout
from zoo.layers.spectral_normalization import SpectralNormalization

__all__ = [
    "Dropout",
    "GaussianNoise",
    "LayerNormalization",
    "Masking",
    "Maxout",
    "SpectralNormalization",
]
