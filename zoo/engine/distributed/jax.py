"""Devices that train together on JAX: one program, whose batch is divided among them.

The state is on every device. XLA divides what follows from a divided batch, and adds up what
belongs to all of it: batch normalization, losses that compare examples and noise are those of the
whole batch by themselves.

The devices are those of this process, or one of each of several processes. Several processes have
the training step in common and nothing else: variables are a process's own, and so is whatever
else reads or writes them.
"""

from __future__ import annotations

import itertools
from typing import Any

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import NamedSharding, PartitionSpec

from zoo.engine import distributed
from zoo.engine.distributed.meeting import addresses
from zoo.errors import ZooError
from zoo.random import Share
from zoo.runtime import backends
from zoo.runtime.keras_compat import jax_barrier
from zoo.runtime.quiet import stdout_aside
from zoo.runtime.ranks import Rank

PATIENCE = 12 * 3600
"""Seconds that one waits for the others, of which the first may be measuring."""

_AXIS = "batch"
_mesh: Any = None


class _Whole(keras.distribution.DataParallel):
    """Puts every batch on every device whole; a step divides it, if it can be divided."""

    def get_data_layout(self, data_shape):
        return keras.distribution.TensorLayout([None] * len(data_shape), self.device_mesh)


def use(number: int) -> None:
    """Have models that are built from now on compute on so many devices.

    Raises:
        ZooError: there are fewer.
    """
    global _mesh
    devices = jax.local_devices()
    if len(devices) < number:
        raise ZooError(f"--devices {number}: JAX finds {len(devices)} here")
    devices = devices[:number]
    names = [f"{device.platform}:{device.id}" for device in devices]
    mesh = keras.distribution.DeviceMesh((number,), [_AXIS], names)
    keras.distribution.set_distribution(_Whole(device_mesh=mesh, auto_shard_dataset=False))
    _mesh = jax.sharding.Mesh(devices, [_AXIS])
    distributed.devices = number


def joined(rank: Rank) -> Team:
    """Meet the other processes: at the address of the first, else as JAX finds it itself."""
    global _mesh
    at = addresses(rank, rank.meeting)[0] if rank.meeting and not rank.address else rank.address
    place: dict[str, Any] = {"num_processes": rank.of, "process_id": rank.number} if at else {}
    jax.config.update("jax_enable_preemption_service", False)  # it would take SIGTERM for itself
    jax.distributed.initialize(
        at or None,
        **place,
        local_device_ids=rank.local % max(backends.gpus(), 1),
        shutdown_timeout_seconds=60,
    )
    first = {device.process_index: device for device in reversed(jax.devices())}
    _mesh = jax.sharding.Mesh([first[number] for number in range(rank.of)], [_AXIS])
    team = Team(rank)
    with stdout_aside():  # gloo names its peers there at the first sum
        team.total(np.zeros(1, "uint8"))
    return team


class Team:
    """See ``zoo.engine.distributed.Team``; its means are XLA's."""

    def __init__(self, rank: Rank):
        self.rank, self._calls = rank, itertools.count()

    def total(self, array: np.ndarray) -> np.ndarray:
        jax_barrier(jax, f"zoo-{next(self._calls)}", PATIENCE)
        raw = np.frombuffer(array.tobytes(), "uint8")  # JAX would make 32 bits of 64
        found = np.asarray(multihost_utils.process_allgather(raw))
        parts = np.frombuffer(found.tobytes(), array.dtype)
        return parts.reshape(self.rank.of, *array.shape).sum(0, dtype=array.dtype)

    def is_lost(self, error: Exception) -> bool:
        signs = "Gloo", "NCCL", "UNAVAILABLE", "DEADLINE_EXCEEDED", "coordination", "heartbeat"
        return isinstance(error, RuntimeError) and any(sign in str(error) for sign in signs)

    def leave(self) -> None:
        self.total(np.zeros(1, "uint8"))  # shutting down, one waits for the others not for long
        jax.distributed.shutdown()


def state(x):
    """A process's array as an array of the step; it is the same in all processes."""
    if distributed.team is None:
        return x
    spec = NamedSharding(_mesh, PartitionSpec())
    return jax.make_array_from_single_device_arrays(x.shape, spec, [x])


def own(x):
    """An array of the state after a step, as the process's own."""
    return x if distributed.team is None else x.addressable_data(0)


def batch(data, share: Share | None, axis: int = 0):
    """Arrays of which each process has its share of rows, along an axis, as arrays of the step."""
    if share is None:
        return data
    return jax.tree.map(lambda part: _put(part, share, axis), data)


def _put(part: np.ndarray, share: Share, axis: int):
    before, own, after = part.shape[:axis], part.shape[axis], part.shape[axis + 1 :]
    repeats = own // share.rows
    shape = *before, share.of * repeats, *after
    if share.of % _mesh.size == 0:
        spec = PartitionSpec(*[None] * axis, _AXIS)
    else:  # rows that cannot be divided are everywhere
        spec, rows = PartitionSpec(), np.zeros(shape, part.dtype)
        if share.weight:
            first = share.first * repeats
            rows[(slice(None),) * axis + (slice(first, first + own),)] = part
        assert distributed.team is not None
        part = distributed.team.total(rows)
    return jax.make_array_from_process_local_data(NamedSharding(_mesh, spec), part, shape)


def split(structure):
    """Arrays whose rows are divided among the devices, where their number can be."""
    if _mesh is None:
        return structure

    def own(x):
        if getattr(x, "ndim", 0) and x.shape[0] and x.shape[0] % _mesh.size == 0:
            return _placed(x, PartitionSpec(_AXIS))
        return x

    return jax.tree.map(own, structure)


def split_here(structure):
    """Likewise, but for several processes: outside of a training step each computes its own."""
    return structure if distributed.team is not None else split(structure)


def whole(structure):
    """Arrays that are on every device whole."""
    if _mesh is None:
        return structure
    return jax.tree.map(lambda x: _placed(x, PartitionSpec()), structure)


def _placed(x, spec):
    return jax.lax.with_sharding_constraint(x, NamedSharding(_mesh, spec))
