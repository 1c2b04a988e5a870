"""A VAE with a Bernoulli decoder, dense or convolutional."""

from __future__ import annotations

import itertools

import torch
from torch import nn
from torch.nn import functional

from benchmarks.by_hand.torch import parts


class Encoder(nn.Module):
    """Mean and log variance of z."""

    def __init__(self, case):
        super().__init__()
        sizes = _sizes(case)
        if case.settings.get("convolutional"):
            pairs = itertools.pairwise((1, *sizes))
            body = [m for a, b in pairs for m in (parts.halve(a, b), nn.SiLU())]
            self.body = nn.Sequential(*body, parts.Vectors())
            features = sizes[-1] * parts.side(sizes) ** 2
        else:
            self.body = nn.Sequential(nn.Flatten(), *_chain((784, *sizes)))
            features = sizes[-1]
        self.mean = nn.Linear(features, case.settings["latent_dim"])
        self.log_var = nn.Linear(features, case.settings["latent_dim"])

    def forward(self, x):
        x = self.body(x)
        return self.mean(x), self.log_var(x)


def _sizes(case):
    """Filters or units of the encoder's layers."""
    return case.settings["filters" if case.settings.get("convolutional") else "units"]


def _chain(sizes):
    return [m for a, b in itertools.pairwise(sizes) for m in (nn.Linear(a, b), nn.SiLU())]


def decoder_of(case):
    """From z to logits of pixels."""
    latent, sizes = case.settings["latent_dim"], _sizes(case)
    if not case.settings.get("convolutional"):
        body = _chain((latent, *sizes[::-1]))
        return nn.Sequential(*body, nn.Linear(sizes[0], 784), nn.Unflatten(1, (1, 28, 28)))
    side, last = parts.side(sizes), sizes[-1]
    body = [nn.Linear(latent, last * side * side), parts.Maps(side, last), nn.SiLU()]
    for a, b in itertools.pairwise(sizes[::-1]):
        body += [parts.double(a, b), nn.SiLU()]
    return nn.Sequential(*body, parts.double(sizes[0], 1))


def training(case, nets):
    """The step."""
    encoder = parts.prepared(Encoder(case), nets["encoder"])
    decoder = parts.prepared(decoder_of(case), nets["decoder"])
    optimizer = parts.adam(case, encoder, decoder)

    def step(x, noise):
        x = parts.pictures(x).float() / 255
        with parts.autocast():
            mean, log_var = (code.float() for code in encoder(x))
            z = mean + torch.exp(0.5 * log_var) * noise[0]
            logits = decoder(z).float()
        distortion = (functional.softplus(logits) - x * logits).sum((1, 2, 3))
        kl = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1)
        loss = (distortion + kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return (loss.detach(),)

    return step
