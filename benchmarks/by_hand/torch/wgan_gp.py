"""A Wasserstein GAN with a gradient penalty: the critic moves several times a step."""

from __future__ import annotations

import torch
from torch import nn

from benchmarks.by_hand.torch import networks, parts

LAMBDA = 10.0  # weight of the penalty


def _critic(case):
    _, units = networks.sizes(case)
    return nn.Sequential(
        networks.convolutions(case, networks.Layer, networks.leaky),
        networks.dense(case, networks.Layer, networks.leaky),
        nn.Linear(units[-1], 1),
    )


def training(case, nets):
    """The step."""
    generator = networks.generator(case.settings["prior"]["dimension"], case)
    generator = parts.prepared(generator, nets["generator"])
    critic = parts.prepared(_critic(case), nets["critic"])
    own, other = parts.adam(case, generator), parts.adam(case, critic)

    def made(z):
        with parts.autocast():
            return generator(z).float()

    def judged(x):
        with parts.autocast():
            return critic(x).float()

    def criticism(real, fake, share):
        truth, lie = judged(torch.cat([real, fake])).chunk(2)  # each example by itself
        between = (fake + share * (real - fake)).requires_grad_()
        (slope,) = torch.autograd.grad(judged(between).sum(), between, create_graph=True)
        norm = (slope.square().sum((1, 2, 3)) + 1e-12).sqrt()
        return lie.mean() - truth.mean() + LAMBDA * (norm - 1).square().mean()

    def step(x, noise):
        x = parts.pictures(x).float() / 127.5 - 1
        *draws, last = noise
        critics = 0.0
        for k in range(case.repeats):
            with torch.no_grad():
                fake = made(draws[2 * k])
            loss = criticism(x[k :: case.repeats], fake, draws[2 * k + 1])
            other.zero_grad()
            loss.backward()
            other.step()
            critics += loss.detach() / case.repeats
        critic.requires_grad_(False)
        loss = -judged(made(last)).mean()
        own.zero_grad()
        loss.backward()
        own.step()
        critic.requires_grad_(True)
        return critics, loss.detach()

    return step
