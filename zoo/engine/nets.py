"""The networks as a loss sees them."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import keras
from keras import ops

from zoo.errors import ZooError, nearest, unknown
from zoo.plugin.model import DataSpec


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
            if not name.isidentifier() or name == "data" or hasattr(self, name):
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
    """The ``nets`` of a loss or ability: networks by name, in training or inference mode.

    ``nets.encoder(x)`` calls the network ``encoder``; see ``Net``. An unknown name raises
    ``ZooError``.

    Attributes:
        data: the ``DataSpec`` that the networks were built for.
    """

    def __init__(self, networks: Networks, training: bool, where: str, data: DataSpec):
        self._where = where
        self.data = data
        for name, network in networks.items():
            setattr(self, name, Net(network, training))

    def __getattr__(self, name):
        names = [key for key, value in vars(self).items() if isinstance(value, Net)]
        raise ZooError(
            f"{self._where}: there is no network {name!r}{nearest(name, names)} "
            f"(networks: {', '.join(names)})"
        )


class Net:
    """One network, such as ``nets.encoder``, in training or inference mode.

    A network takes labels if its last input is named ``labels`` or, in a layer, if ``call`` has
    a parameter ``labels``. Called as ``net(x, labels=labels)``, a network that takes labels gets
    them, and any other does not: a loss is written once for both.
    """

    def __init__(self, network, training):
        self._network = network
        self._kwargs = {"training": training} if _takes(network.__class__, "training") else {}

    def __call__(self, *inputs, labels=None, **kwargs):
        """Call the network.

        Args:
            *inputs: its input; a list for a network with several: ``nets.unet([x, t])``. Then
                what else the layer's ``call`` takes. None for a layer without inputs:
                ``nets.pseudo()``.
            labels: int32 ``(n,)``, or None.
            **kwargs: what else the layer's ``call`` takes, by name.

        Returns:
            Its output, or its list or dict of outputs. Floats are float32, also under mixed
            precision.
        """
        if labels is not None:
            if _has_input(self._network, "labels"):
                first = keras.tree.flatten(inputs[:1])  # none where labels are all that it takes
                inputs = ([*first, labels] if first else labels, *inputs[1:])
            elif _takes(self._network.__class__, "labels"):
                kwargs["labels"] = labels
        network, kwargs = self._network, dict(**self._kwargs, **kwargs)
        if inputs:
            outputs = network(*inputs, **kwargs)
        else:  # Keras builds no layer without inputs, nor calls one without parameters
            if not network.built:
                network.build(None)
            outputs = network(**kwargs) if kwargs else network.call()
        if hasattr(outputs, "dtype"):
            return _float32(outputs)
        return keras.tree.map_structure(_float32, outputs)


@functools.cache  # on PyTorch, networks are called at each step
def _takes(cls: type[keras.layers.Layer], parameter: str) -> bool:
    return parameter in inspect.signature(cls.call).parameters


def _has_input(network, name: str) -> bool:
    """Whether the last input of a functional model has this name."""
    inputs: Any = getattr(network, "inputs", None)
    return bool(inputs) and inputs[-1].name == name


def _float32(x):
    kind = keras.backend.standardize_dtype(x.dtype)
    return ops.cast(x, "float32") if kind in ("float16", "bfloat16") else x
