"""The zoo's U-Net, with one residual block at each size on each way."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import nn
from torch.nn.functional import silu

from benchmarks.by_hand.torch import parts


class UNet(nn.Module):
    """Pictures and times to pictures."""

    def __init__(self, case):
        super().__init__()
        filters, units, hidden = (case.settings[n] for n in ("filters", "units", "hidden"))
        self.register_buffer("rates", torch.tensor(np.geomspace(1, 100, units // 2, dtype="f4")))
        self.told = nn.Sequential(
            *(nn.Linear(units, units), nn.SiLU()), *(nn.Linear(units, units), nn.SiLU())
        )
        self.down = nn.ModuleList(_Down(a, b, units) for a, b in itertools.pairwise((1, *filters)))
        self.whole = _Whole(filters[-1], parts.side(filters), hidden, units)
        self.up = nn.ModuleList(
            _Up(a, b, units) for a, b in itertools.pairwise((*filters[::-1], None))
        )
        self.share = nn.Linear(units, 1)
        self.picture = parts.double(filters[0], 1)

    def forward(self, x, t):
        angles = t[:, None] * self.rates
        told = self.told(torch.cat([angles.sin(), angles.cos()], 1))
        y, skips = x, []
        for down in self.down:
            y = down(y, told)
            skips.append(y)
        y = self.whole(y, told)
        for up in self.up:
            y = up(torch.cat([y, skips.pop()], 1), told)
        return self.picture(y) + x * self.share(told)[:, :, None, None]


# layers stand in the order of the Keras network


class _Down(nn.Module):
    """Half the sides, then a block."""

    def __init__(self, a, b, units):
        super().__init__()
        self.film, self.halve = nn.Linear(units, 2 * b), parts.halve(a, b)
        self.first, self.second = _convolution(b, b), _convolution(b, b)

    def forward(self, x, told):
        x = self.halve(x)
        return x + self.second(_acted(self.first(silu(x)), self.film(told)))


class _Whole(nn.Module):
    """Dense layers of the smallest map."""

    def __init__(self, count, side, hidden, units):
        super().__init__()
        size = count * side * side
        self.film, self.into = nn.Linear(units, 2 * hidden), nn.Linear(size, hidden)
        self.first, self.second = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, size)
        self.vectors, self.maps = parts.Vectors(), parts.Maps(side, count)

    def forward(self, x, told):
        y = self.into(self.vectors(silu(x)))
        y = y + self.second(_acted(self.first(silu(y)), self.film(told)))
        return x + self.maps(self.out(silu(y)))


class _Up(nn.Module):
    """A block of maps beside those of the way down, then twice the sides, but for the last."""

    def __init__(self, count, after, units):
        super().__init__()
        self.film, self.first = nn.Linear(units, 2 * count), _convolution(2 * count, count)
        self.same, self.second = nn.Conv2d(2 * count, count, 1), _convolution(count, count)
        self.after = parts.double(count, after) if after else nn.Identity()

    def forward(self, x, told):
        y = self.second(_acted(self.first(silu(x)), self.film(told)))
        return self.after(silu(self.same(x) + y))


def _convolution(a, b):
    return nn.Conv2d(a, b, 3, padding=1)


def _acted(y, film):
    """Scaled and shifted by channel, then activated."""
    scale, shift = film.unflatten(1, (-1, *(1 for _ in y.shape[2:]))).chunk(2, 1)
    return silu(y * (1 + scale) + shift)
