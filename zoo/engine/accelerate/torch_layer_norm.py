"""Layer normalization on PyTorch in one operation, where it takes a dozen passes over memory."""

from __future__ import annotations

from torch.nn import functional


def install() -> None:
    """There is nothing to make ready: the layer asks for it."""


def normalized(x, gain, bias, epsilon: float):
    """Examples ``(n, ..., channels)``, each over all its numbers, with a gain and bias per channel.

    Its gradient, too, can be differentiated.
    """
    if x.ndim == 2:
        return functional.layer_norm(x, x.shape[1:], gain, bias, epsilon)
    return functional.group_norm(x.movedim(-1, 1), 1, gain, bias, epsilon).movedim(1, -1)
