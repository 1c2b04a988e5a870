"""Weights of the shapes of Inception's and pictures, from fixed seeds, and what they give.

The numbers are those of torch-fidelity 0.4.0 with PyTorch 2.13 on a CPU: of its
``FeatureExtractorInceptionV3``, given a file that ``write`` made and what ``pictures`` makes; and
of its ``fid_statistics_to_metric`` and ``kid_features_to_metric`` (10 subsets of 3, rng_seed 2020),
given these features.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np


def shapes() -> dict[str, tuple[int, ...]]:
    """``{name: shape}`` of the convolutions and the head, as PyTorch has them."""
    found = {}

    def conv(name, inputs, filters, height, width=None):
        found[name] = (filters, inputs, height, width or height)

    conv("Conv2d_1a_3x3", 3, 32, 3)
    conv("Conv2d_2a_3x3", 32, 32, 3)
    conv("Conv2d_2b_3x3", 32, 64, 3)
    conv("Conv2d_3b_1x1", 64, 80, 1)
    conv("Conv2d_4a_3x3", 80, 192, 3)
    for name, inputs, pool in (("5b", 192, 32), ("5c", 256, 64), ("5d", 288, 64)):
        conv(f"Mixed_{name}.branch1x1", inputs, 64, 1)
        conv(f"Mixed_{name}.branch5x5_1", inputs, 48, 1)
        conv(f"Mixed_{name}.branch5x5_2", 48, 64, 5)
        conv(f"Mixed_{name}.branch3x3dbl_1", inputs, 64, 1)
        conv(f"Mixed_{name}.branch3x3dbl_2", 64, 96, 3)
        conv(f"Mixed_{name}.branch3x3dbl_3", 96, 96, 3)
        conv(f"Mixed_{name}.branch_pool", inputs, pool, 1)
    conv("Mixed_6a.branch3x3", 288, 384, 3)
    conv("Mixed_6a.branch3x3dbl_1", 288, 64, 1)
    conv("Mixed_6a.branch3x3dbl_2", 64, 96, 3)
    conv("Mixed_6a.branch3x3dbl_3", 96, 96, 3)
    for name, width in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
        conv(f"Mixed_{name}.branch1x1", 768, 192, 1)
        conv(f"Mixed_{name}.branch7x7_1", 768, width, 1)
        conv(f"Mixed_{name}.branch7x7_2", width, width, 1, 7)
        conv(f"Mixed_{name}.branch7x7_3", width, 192, 7, 1)
        conv(f"Mixed_{name}.branch7x7dbl_1", 768, width, 1)
        conv(f"Mixed_{name}.branch7x7dbl_2", width, width, 7, 1)
        conv(f"Mixed_{name}.branch7x7dbl_3", width, width, 1, 7)
        conv(f"Mixed_{name}.branch7x7dbl_4", width, width, 7, 1)
        conv(f"Mixed_{name}.branch7x7dbl_5", width, 192, 1, 7)
        conv(f"Mixed_{name}.branch_pool", 768, 192, 1)
    conv("Mixed_7a.branch3x3_1", 768, 192, 1)
    conv("Mixed_7a.branch3x3_2", 192, 320, 3)
    conv("Mixed_7a.branch7x7x3_1", 768, 192, 1)
    conv("Mixed_7a.branch7x7x3_2", 192, 192, 1, 7)
    conv("Mixed_7a.branch7x7x3_3", 192, 192, 7, 1)
    conv("Mixed_7a.branch7x7x3_4", 192, 192, 3)
    for name, inputs in (("7b", 1280), ("7c", 2048)):
        conv(f"Mixed_{name}.branch1x1", inputs, 320, 1)
        conv(f"Mixed_{name}.branch3x3_1", inputs, 384, 1)
        conv(f"Mixed_{name}.branch3x3_2a", 384, 384, 1, 3)
        conv(f"Mixed_{name}.branch3x3_2b", 384, 384, 3, 1)
        conv(f"Mixed_{name}.branch3x3dbl_1", inputs, 448, 1)
        conv(f"Mixed_{name}.branch3x3dbl_2", 448, 384, 3)
        conv(f"Mixed_{name}.branch3x3dbl_3a", 384, 384, 1, 3)
        conv(f"Mixed_{name}.branch3x3dbl_3b", 384, 384, 3, 1)
        conv(f"Mixed_{name}.branch_pool", inputs, 192, 1)
    return found


def arrays() -> dict[str, np.ndarray]:
    """The state dict: kernels of He's variance, and normalizations that are not the identity."""
    drawn = np.random.RandomState(2015)

    def uniform(low, high, shape):
        return drawn.uniform(low, high, shape).astype("float32")

    found = {}
    for name, shape in shapes().items():
        most = np.sqrt(6 / np.prod(shape[1:]))
        found[f"{name}.conv.weight"] = uniform(-most, most, shape)
        found[f"{name}.bn.weight"] = uniform(0.8, 1.2, shape[:1])
        found[f"{name}.bn.bias"] = uniform(-0.1, 0.1, shape[:1])
        found[f"{name}.bn.running_mean"] = uniform(-0.1, 0.1, shape[:1])
        found[f"{name}.bn.running_var"] = uniform(0.8, 1.2, shape[:1])
        found[f"{name}.bn.num_batches_tracked"] = np.array(0)
    found["fc.weight"] = uniform(-1, 1, (1008, 2048))
    found["fc.bias"] = uniform(-1, 1, (1008,))
    return found


def write(path: Path, *, zipped: bool = True) -> None:
    """Write the state dict as PyTorch does; ``zipped`` since its version 1.6."""
    import torch

    state = {name: torch.from_numpy(np.array(array)) for name, array in arrays().items()}
    torch.save(state, path, _use_new_zipfile_serialization=zipped)


def pictures(seed: int, n: int = 4, channels: int = 3) -> np.ndarray:
    """Coarse noise, uint8 ``(n, 32, 32, channels)``; darker for seed 2."""
    drawn = np.random.RandomState(seed).randint(0, 256 // seed, (n, 8, 8, channels))
    return np.repeat(np.repeat(drawn, 4, axis=1), 4, axis=2).astype("uint8")
