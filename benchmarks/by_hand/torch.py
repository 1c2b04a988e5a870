"""PyTorch as an expert writes it: modules, fused Adam, channels last, malloc that keeps memory.

It runs eagerly, on the device that Keras takes.
Under Keras's policy ``mixed_bfloat16`` what runs forward is under ``torch.autocast``.
"""

from __future__ import annotations

import itertools
from typing import Any

import keras
import torch
from keras.src.backend.torch.core import get_device
from torch import nn
from torch.nn import functional

from benchmarks import cases
from benchmarks.clock import Clock
from zoo.engine.accelerate.malloc import retain_freed_memory


def measure(case: cases.Case, clock: Clock) -> None:
    """Train at each turn of the clock."""
    if get_device() == "cpu":
        retain_freed_memory()
    data = torch.from_numpy(cases.pictures(case.pictures)).permute(0, 3, 1, 2).contiguous()
    data = data.to(get_device())
    nets, step = (_vae if case.model == "vae" else _gan)(case)
    for net in nets:
        net.to(memory_format=torch.channels_last)
    _check(case, nets)
    while clock.again():
        clock.begin()
        order = torch.randperm(case.pictures, device=data.device)
        for rows in order.split(case.batch_size):
            loss = step(data[rows].contiguous(memory_format=torch.channels_last))
            clock.stepped()
        loss.item()
        if data.is_cuda:
            torch.cuda.synchronize()
        clock.end(case.pictures)


def _check(case, nets) -> None:
    """The modules have as many weights as the zoo's networks."""
    theirs = sum(p.numel() for net in nets for p in net.parameters())
    ours = sum(
        sum(v.value.numel() for v in net.trainable_variables)
        for net in cases.networks(case).values()
    )
    if theirs != ours:
        raise ValueError(f"the networks by hand have {theirs} weights, the zoo's {ours}")


def _autocast():
    bfloat16 = keras.config.dtype_policy().name == "mixed_bfloat16"
    return torch.autocast(get_device().partition(":")[0], torch.bfloat16, enabled=bfloat16)


def _adam(case, *nets):
    weights = itertools.chain(*(net.parameters() for net in nets))
    return torch.optim.Adam(weights, case.rate, betas=(case.beta_1, 0.999), eps=1e-7, fused=True)


def _chain(sizes, activation):
    pairs = itertools.pairwise(sizes)
    return [layer for a, b in pairs for layer in (nn.Linear(a, b), activation())]


def _double(a, b, **options):
    """A transposed convolution that doubles the sides."""
    return nn.ConvTranspose2d(a, b, 4, stride=2, padding=1, **options)


class Encoder(nn.Module):
    """Mean and log variance of z."""

    def __init__(self, case):
        super().__init__()
        sizes = layers_of(case)
        if case.settings.get("convolutional"):
            pairs = itertools.pairwise((1, *sizes))
            body = [m for a, b in pairs for m in (nn.Conv2d(a, b, 4, 2, padding=1), nn.SiLU())]
            side = 28 // 2 ** len(sizes)
            features = sizes[-1] * side * side
            self.body = nn.Sequential(*body, nn.Flatten())
        else:
            self.body = nn.Sequential(nn.Flatten(), *_chain((784, *sizes), nn.SiLU))
            features = sizes[-1]
        self.mean = nn.Linear(features, case.settings["latent_dim"])
        self.log_var = nn.Linear(features, case.settings["latent_dim"])

    def forward(self, x):
        x = self.body(x)
        return self.mean(x), self.log_var(x)


def layers_of(case):
    """Filters or units of the encoder's layers."""
    return case.settings["filters" if case.settings.get("convolutional") else "units"]


def decoder_of(case):
    """From z to logits of pixels."""
    latent, sizes = case.settings["latent_dim"], layers_of(case)
    if not case.settings.get("convolutional"):
        body = _chain((latent, *sizes[::-1]), nn.SiLU)
        return nn.Sequential(*body, nn.Linear(sizes[0], 784), nn.Unflatten(1, (1, 28, 28)))
    side = 28 // 2 ** len(sizes)
    body = [nn.Linear(latent, sizes[-1] * side * side), nn.Unflatten(1, (sizes[-1], side, side))]
    body.append(nn.SiLU())
    for a, b in itertools.pairwise(sizes[::-1]):
        body += [_double(a, b), nn.SiLU()]
    return nn.Sequential(*body, _double(sizes[0], 1))


def _vae(case):
    encoder, decoder = Encoder(case).to(get_device()), decoder_of(case).to(get_device())
    optimizer = _adam(case, encoder, decoder)

    def step(x):
        x = x.float() / 255
        with _autocast():
            mean, log_var = (code.float() for code in encoder(x))
            z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
            logits = decoder(z).float()
        distortion = (functional.softplus(logits) - x * logits).sum((1, 2, 3))
        kl = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1)
        loss = (distortion + kl).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return (encoder, decoder), step


def _gan(case):
    latent, width = case.settings["prior"]["dimension"], case.settings["filters"]
    device = get_device()
    normal: dict[str, Any] = {"eps": 1e-3, "momentum": 0.01}  # as in Keras
    generator = nn.Sequential(
        nn.Linear(latent, 2 * width * 49, bias=False),
        nn.Unflatten(1, (2 * width, 7, 7)),
        nn.BatchNorm2d(2 * width, **normal),
        nn.ReLU(),
        _double(2 * width, width, bias=False),
        nn.BatchNorm2d(width, **normal),
        nn.ReLU(),
        _double(width, 1),
        nn.Tanh(),
    ).to(device)
    judge = nn.Sequential(
        nn.Conv2d(1, width, 4, 2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(width, 2 * width, 4, 2, padding=1, bias=False),
        nn.BatchNorm2d(2 * width, **normal),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(2 * width * 49, 1),
    ).to(device)
    own, other = _adam(case, generator), _adam(case, judge)

    def made():
        with _autocast():
            return generator(torch.randn(case.batch_size, latent, device=device)).float()

    def judged(x):
        with _autocast():
            return judge(x).float()

    def step(x):
        x = x.float() / 127.5 - 1
        with torch.no_grad():
            fake = made()
        loss = (functional.softplus(-judged(x)) + functional.softplus(judged(fake))).mean()
        other.zero_grad()
        loss.backward()
        other.step()
        judge.requires_grad_(False)
        fooling = judged(made())
        own.zero_grad()
        functional.softplus(-fooling).mean().backward()
        own.step()
        judge.requires_grad_(True)
        return loss.detach()

    return (generator, judge), step
