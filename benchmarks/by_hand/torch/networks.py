"""The networks that VAE-GAN and WGAN-GP share: the zoo's ``encoder`` and ``generator``."""

from __future__ import annotations

import itertools

from torch import nn

from benchmarks.by_hand.torch import parts


def sizes(case) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Filters of the convolutions, the largest maps first, and units of the dense layers."""
    count = case.settings["filters"]
    return (count, 2 * count), tuple(case.settings.get("units", (512,)))


def convolutions(case, norm, activation) -> nn.Sequential:
    """Pictures to the smallest maps, as vectors."""
    filters, _ = sizes(case)
    body = []
    for a, b in itertools.pairwise((1, *filters)):
        body += [parts.halve(a, b, bias=norm.bias), norm.of_maps(b), activation()]
    return nn.Sequential(*body, parts.Vectors())


def dense(case, norm, activation) -> nn.Sequential:
    """From there to ``units[-1]`` features."""
    filters, units = sizes(case)
    first = filters[-1] * parts.side(filters) ** 2
    return nn.Sequential(*_dense((first, *units), norm, activation))


def generator(latent, case) -> nn.Sequential:
    """From z to pictures in [-1, 1]."""
    filters, units = sizes(case)
    side, last = parts.side(filters), filters[-1]
    body = _dense((latent, *units[::-1]), Batch, nn.ReLU)
    body += [nn.Linear(units[0], last * side * side, bias=False), parts.Maps(side, last)]
    body += [Batch.of_maps(last), nn.ReLU()]
    for a, b in itertools.pairwise(filters[::-1]):
        body += [parts.double(a, b, bias=False), Batch.of_maps(b), nn.ReLU()]
    return nn.Sequential(*body, parts.double(filters[0], 1), nn.Tanh())


def _dense(sizes, norm, activation):
    pairs = itertools.pairwise(sizes)
    return [
        module
        for a, b in pairs
        for module in (nn.Linear(a, b, bias=norm.bias), norm.of_vectors(b), activation())
    ]


class Batch:
    """Batch normalization, whose shift does what a bias would."""

    bias = False

    @staticmethod
    def of_maps(count):
        return nn.BatchNorm2d(count, **parts.KERAS_NORM)

    @staticmethod
    def of_vectors(count):
        return nn.BatchNorm1d(count, **parts.KERAS_NORM)


class Layer:
    """Layer normalization over all of an example's numbers, a gain and shift per channel."""

    bias = True

    @staticmethod
    def of_maps(count):
        return nn.GroupNorm(1, count)

    @staticmethod
    def of_vectors(count):
        return nn.LayerNorm(count)


def leaky():
    """The activation of discriminators."""
    return nn.LeakyReLU(0.2)
