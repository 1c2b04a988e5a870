"""Layers that Keras lacks, or whose noise has to come from the step's counter."""

from __future__ import annotations

from zoo.nn.layers.diff_augment import DiffAugment
from zoo.nn.layers.dropout import Dropout
from zoo.nn.layers.gaussian_noise import GaussianNoise
from zoo.nn.layers.layer_normalization import LayerNormalization
from zoo.nn.layers.masking import Masking
from zoo.nn.layers.maxout import Maxout
from zoo.nn.layers.packed import Packed
from zoo.nn.layers.shared_scale import SharedScale
from zoo.nn.layers.spectral_normalization import SpectralNormalization

__all__ = [
    "DiffAugment",
    "Dropout",
    "GaussianNoise",
    "LayerNormalization",
    "Masking",
    "Maxout",
    "Packed",
    "SharedScale",
    "SpectralNormalization",
]
