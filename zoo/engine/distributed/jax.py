"""Devices that train together on JAX: one process and one program, whose batch is divided.

The state is on every device. XLA divides what follows from a divided batch, and adds up what
belongs to all of it: batch normalization, losses that compare examples and noise are those of the
whole batch by themselves.
"""

from __future__ import annotations

from typing import Any

import jax
import keras
from jax.sharding import NamedSharding, PartitionSpec

from zoo.engine import distributed
from zoo.errors import ZooError

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


def joined(rank):
    """Refuse several processes.

    Raises:
        ZooError: always.
    """
    raise ZooError(
        f"{rank.source} has started {rank.of} processes, and on JAX the zoo trains in one process "
        "with several devices: start one, with --devices N; or take --backend torch"
    )


def split(structure):
    """Arrays whose rows are divided among the devices, where their number can be."""
    if _mesh is None:
        return structure

    def own(x):
        if getattr(x, "ndim", 0) and x.shape[0] and x.shape[0] % _mesh.size == 0:
            return _placed(x, PartitionSpec(_AXIS))
        return x

    return jax.tree.map(own, structure)


def whole(structure):
    """Arrays that are on every device whole."""
    if _mesh is None:
        return structure
    return jax.tree.map(lambda x: _placed(x, PartitionSpec()), structure)


def _placed(x, spec):
    return jax.lax.with_sharding_constraint(x, NamedSharding(_mesh, spec))
