"""PyTorch as an expert writes it: modules, fused Adam, channels last, malloc that keeps memory.

It runs eagerly, on the device that Keras takes.
Under Keras's policy ``mixed_bfloat16`` what runs forward is under ``torch.autocast``.
"""

from __future__ import annotations

import importlib

import torch
from keras.src.backend.torch.core import get_device

from benchmarks import cases
from benchmarks.by_hand import noise
from benchmarks.clock import Clock
from zoo.engine.accelerate.malloc import retain_freed_memory


def measure(case: cases.Case, clock: Clock) -> None:
    """Train at each turn of the clock."""
    device = get_device()
    if device == "cpu":
        retain_freed_memory()
    data = torch.from_numpy(cases.pictures(case.pictures)).to(device)
    step, wanted = training(case, cases.networks(case)), noise.draws(case)
    kinds = {"normal": torch.randn, "uniform": torch.rand}
    while clock.again():
        clock.begin()
        order = torch.randperm(case.pictures, device=device)
        for rows in order.split(case.batch_size * case.repeats):
            losses = step(data[rows], [kinds[k](s, device=device) for k, s in wanted])
            clock.stepped()
        losses[0].item()
        if data.is_cuda:
            torch.cuda.synchronize()
        clock.end(case.pictures)


def training(case: cases.Case, nets):
    """The step of a training.

    Args:
        case: what is trained.
        nets: its Keras networks by name, whose weights are copied.

    Returns:
        ``step(x, noise) -> losses``.
    """
    return importlib.import_module(f"{__name__}.{case.model}").training(case, nets)
