"""Layer normalization on PyTorch in one operation, where it takes a dozen passes over memory."""

from __future__ import annotations

from torch._C._functorch import is_batchedtensor
from torch.nn import functional


def install() -> None:
    """There is nothing to make ready: the layer asks for it."""


def suits(x) -> bool:
    """Whether it is made for this tensor: vmap knows no memory formats, one number no variance."""
    return not is_batchedtensor(x) and x[:1].numel() != 1


def normalized(x, gain, bias, epsilon: float):
    """Examples ``(n, ..., channels)``, each over all its numbers, with a gain and bias per channel.

    Its gradient, too, can be differentiated. Of pictures on a CPU, PyTorch takes mean and variance
    in one pass: numbers that are a thousand times as far from 0 as from each other lose digits.
    """
    if x.ndim == 2:
        return functional.layer_norm(x, x.shape[1:], gain, bias, epsilon)
    return functional.group_norm(x.movedim(-1, 1), 1, gain, bias, epsilon).movedim(1, -1)
