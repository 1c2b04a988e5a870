"""The networks as a loss sees them."""

from __future__ import annotations

import functools
import inspect

import keras
from keras import ops

from zoo.engine.backends import backend
from zoo.errors import ZooError, nearest, unknown


class Networks(keras.layers.Layer):
    """Named networks; weight files name them so, whatever their order or class."""

    def __init__(self, networks, where: str):
        super().__init__(name="networks")
        for name, network in networks.items():
            if not isinstance(network, keras.layers.Layer):
                raise ZooError(
                    f"{where}: networks() gives keras models or layers, but "
                    f"{name!r} is {type(network).__name__}"
                )
            if not name.isidentifier() or hasattr(self, name):
                raise ZooError(f"{where}: {name!r} cannot name a network; choose another name")
            setattr(self, name, network)
        self._names = " ".join(networks)
        self.built = True

    def __iter__(self):
        return iter(self._names.split())

    def __getitem__(self, name: str) -> keras.layers.Layer:
        if name not in set(self):
            raise unknown("network", name, self)
        return getattr(self, name)

    def items(self):
        return [(name, self[name]) for name in self]


class Nets:
    """``nets.encoder(x)``: the networks bound to training or inference.

    What comes out is float32 also under mixed precision, since losses and noise are.
    """

    def __init__(self, networks: Networks, training: bool, where: str):
        self._where = where
        for name, network in networks.items():
            setattr(self, name, Net(network, training))

    def __getattr__(self, name):
        names = [key for key in vars(self) if not key.startswith("_")]
        raise ZooError(
            f"{self._where}: there is no network {name!r}{nearest(name, names)} "
            f"(networks: {', '.join(names)})"
        )


class Net:
    """One network, called with ``training`` bound.

    A conditional network takes ``[x, labels]``. Called as ``net(x, labels=labels)``, any
    network is given what it takes, so that a loss is written once for both.
    """

    def __init__(self, network, training):
        self._network = network
        self._kwargs = {"training": training} if _takes_training(network.__class__) else {}

    def __call__(self, x, *args, labels=None, **kwargs):
        if labels is not None and len(getattr(self._network, "inputs", None) or ()) == 2:
            x = [x, labels]
        outputs = self._called(x, *args, **kwargs)
        if hasattr(outputs, "dtype"):
            return _float32(outputs)
        return keras.tree.map_structure(_float32, outputs)

    def _called(self, *args, **kwargs):
        return backend.call(self._network, *args, **self._kwargs, **kwargs)


@functools.cache  # on PyTorch, networks are called at each step
def _takes_training(cls: type[keras.layers.Layer]) -> bool:
    return "training" in inspect.signature(cls.call).parameters


def _float32(x):
    kind = keras.backend.standardize_dtype(x.dtype)
    return ops.cast(x, "float32") if kind in ("float16", "bfloat16") else x
