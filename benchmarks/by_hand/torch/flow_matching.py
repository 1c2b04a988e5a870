"""Flow matching along straight lines, at times in the middle."""

from __future__ import annotations

from benchmarks.by_hand.torch import parts
from benchmarks.by_hand.torch.unet import UNet

SIGMA = 1e-4  # deviation of the noise that is left at time 1


def training(case, nets):
    """The step."""
    unet = parts.prepared(UNet(case), nets["unet"])
    optimizer = parts.adam(case, unet)

    def step(x, noise):
        normal, start = noise
        x, start = parts.pictures(x).float() / 127.5 - 1, parts.pictures(start)
        t = normal.sigmoid()
        time = t[:, None, None, None]
        here = (1 - (1 - SIGMA) * time) * start + time * x
        with parts.autocast():
            found = unet(here, t).float()
        loss = (x - (1 - SIGMA) * start - found).square().sum((1, 2, 3)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return (loss.detach(),)

    return step
