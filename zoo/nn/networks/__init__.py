"""Networks that models share, dense or convolutional: the builders take keywords, in one order.

From what goes in to what comes out: ``shape``, ``filters``, ``units``, ``outputs``; then
``num_classes`` and ``style``.
"""

from __future__ import annotations

from zoo.nn.networks.builders import (
    decoder,
    discriminator,
    encoder,
    generator,
    translator,
)
from zoo.nn.networks.sizes import doubled, fitted, halvings, maps
from zoo.nn.networks.style import Style
from zoo.nn.networks.unet import unet

__all__ = [
    "Style",
    "decoder",
    "discriminator",
    "doubled",
    "encoder",
    "fitted",
    "generator",
    "halvings",
    "maps",
    "translator",
    "unet",
]
