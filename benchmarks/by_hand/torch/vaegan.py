"""A VAE-GAN: three players move at once, from one forward pass."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn.functional import softplus

from benchmarks.by_hand.torch import networks, parts

GAMMA = 0.02  # weight of the reconstruction in the decoder's loss


class Encoder(nn.Module):
    """Mean and log variance of z."""

    def __init__(self, case):
        super().__init__()
        _, units = networks.sizes(case)
        self.body = nn.Sequential(
            networks.convolutions(case, networks.Batch, nn.ReLU),
            networks.dense(case, networks.Batch, nn.ReLU),
        )
        self.mean = nn.Linear(units[-1], case.settings["latent_dim"])
        self.log_var = nn.Linear(units[-1], case.settings["latent_dim"])

    def forward(self, x):
        x = self.body(x)
        return self.mean(x), self.log_var(x)


class Discriminator(nn.Module):
    """A logit, and the maps that reconstructions are compared in."""

    def __init__(self, case):
        super().__init__()
        _, units = networks.sizes(case)
        self.maps = networks.convolutions(case, networks.Batch, networks.leaky)
        self.judge = nn.Sequential(
            networks.dense(case, networks.Batch, networks.leaky), nn.Linear(units[-1], 1)
        )

    def forward(self, x):
        maps = self.maps(x)
        return self.judge(maps), maps


def training(case, nets):
    """The step."""
    encoder = parts.prepared(Encoder(case), nets["encoder"])
    decoder = networks.generator(case.settings["latent_dim"], case)
    decoder = parts.prepared(decoder, nets["decoder"])
    judge = parts.prepared(Discriminator(case), nets["discriminator"])
    modules = (encoder, decoder, judge)
    optimizers = [parts.adam(case, module) for module in modules]
    weights = [list(module.parameters()) for module in modules]

    def losses_of(x, for_codes, from_prior):
        with parts.autocast():
            mean, log_var = (code.float() for code in encoder(x))
            z = mean + torch.exp(0.5 * log_var) * for_codes
            made = decoder(torch.cat([z, from_prior])).float()
            logits, features = (out.float() for out in judge(torch.cat([x, made])))
        real, again, sampled = logits.chunk(3)
        true, reconstructed, _ = features.chunk(3)
        square = (true - reconstructed).square()
        reconstruction = 0.5 * (math.log(2 * math.pi) + square).sum(1).mean()
        kl = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1).mean()
        fakes = softplus(again).mean() + softplus(sampled).mean()
        return (
            kl + reconstruction,
            GAMMA * reconstruction - fakes,
            softplus(-real).mean() + 0.5 * fakes,
        )

    def step(x, noise):
        losses = losses_of(parts.pictures(x).float() / 127.5 - 1, *noise)
        for optimizer in optimizers:
            optimizer.zero_grad()
        for own, loss in zip(weights, losses, strict=True):
            loss.backward(inputs=own, retain_graph=True)
        for optimizer in optimizers:
            optimizer.step()
        return tuple(loss.detach() for loss in losses)

    return step
