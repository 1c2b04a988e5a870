"""Processes that train together on PyTorch, by gloo on CPUs and NCCL on GPUs."""

from __future__ import annotations

import datetime
import os

import numpy as np
import torch
import torch.distributed as dist

from zoo.errors import ZooError
from zoo.runtime.ranks import Rank

PATIENCE = datetime.timedelta(hours=12)
"""How long one waits for the others, of which the first may be measuring. That a process has died
ends the others at once; that one has stopped is seen by who started them."""


def joined(rank: Rank) -> Team:
    """Meet the other processes: where the first one is, else in a file of the meeting."""
    if not dist.is_available() or not dist.is_gloo_available():
        raise ZooError(
            "this PyTorch has no torch.distributed with gloo, which several devices need"
        )
    if not rank.meeting and not rank.address:
        raise ZooError(
            f"{rank.source} does not say where the first process is: set MASTER_ADDR to its host, "
            "and MASTER_PORT to a free port there"
        )
    at = f"tcp://{rank.address}" if rank.address else f"file://{rank.meeting}/torch"
    nccl = torch.cuda.is_available() and os.environ.get("KERAS_TORCH_DEVICE") != "cpu"
    if nccl:
        torch.cuda.set_device(rank.local % torch.cuda.device_count())
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if nccl else "gloo",
        at,
        rank=rank.number,
        world_size=rank.of,
        timeout=PATIENCE,
    )
    return Team(rank)


class Team:
    """See ``zoo.engine.distributed.Team``."""

    def __init__(self, rank: Rank):
        self.rank = rank

    def mean(self, x, weight: float):
        return _mean(x, weight)

    def total(self, array: np.ndarray) -> np.ndarray:
        tensor = torch.from_numpy(array.copy())
        dist.all_reduce(tensor)
        return tensor.numpy()

    def is_lost(self, error: Exception) -> bool:
        signs = "Connection closed by peer", "Connection reset", "gloo", "NCCL", "Timed out"
        return isinstance(error, RuntimeError) and any(sign in str(error) for sign in signs)

    def leave(self) -> None:
        dist.destroy_process_group()


@torch.library.custom_op("zoo::mean", mutates_args=())
def _mean(x: torch.Tensor, weight: float) -> torch.Tensor:
    y = x * weight
    dist.all_reduce(y)
    return y


@_mean.register_fake
def _(x, weight):
    return torch.empty_like(x)


def _backward(ctx, gradient):
    # where all losses are means of weight w, the mean is its own adjoint
    return _mean(gradient, ctx.weight), None


def _setup(ctx, inputs, output):
    ctx.weight = inputs[1]


_mean.register_autograd(_backward, setup_context=_setup)
