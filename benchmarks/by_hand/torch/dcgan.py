"""A DCGAN, non-saturating."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from benchmarks.by_hand.torch import parts


def _generator(latent, width):
    return nn.Sequential(
        nn.Linear(latent, 2 * width * 49, bias=False),
        parts.Maps(7, 2 * width),
        nn.BatchNorm2d(2 * width, **parts.KERAS_NORM),
        nn.ReLU(),
        parts.double(2 * width, width, bias=False),
        nn.BatchNorm2d(width, **parts.KERAS_NORM),
        nn.ReLU(),
        parts.double(width, 1),
        nn.Tanh(),
    )


def _discriminator(width):
    return nn.Sequential(
        parts.halve(1, width),
        nn.LeakyReLU(0.2),
        parts.halve(width, 2 * width, bias=False),
        nn.BatchNorm2d(2 * width, **parts.KERAS_NORM),
        nn.LeakyReLU(0.2),
        parts.Vectors(),
        nn.Linear(2 * width * 49, 1),
    )


def training(case, nets):
    """The step."""
    latent, width = case.settings["prior"]["dimension"], case.settings["filters"]
    generator = parts.prepared(_generator(latent, width), nets["generator"])
    judge = parts.prepared(_discriminator(width), nets["discriminator"])
    own, other = parts.adam(case, generator), parts.adam(case, judge)

    def made(z):
        with parts.autocast():
            return generator(z).float()

    def judged(x):
        with parts.autocast():
            return judge(x).float()

    def step(x, noise):
        first, second = noise
        x = parts.pictures(x).float() / 127.5 - 1
        with torch.no_grad():
            fake = made(first)
        loss = (functional.softplus(-judged(x)) + functional.softplus(judged(fake))).mean()
        other.zero_grad()
        loss.backward()
        other.step()
        judge.requires_grad_(False)
        fooling = functional.softplus(-judged(made(second))).mean()
        own.zero_grad()
        fooling.backward()
        own.step()
        judge.requires_grad_(True)
        return loss.detach(), fooling.detach()

    return step
