"""Numbers inside a model, for histograms: weights, codes, and what discriminators say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from zoo.callbacks import updates
from zoo.datasets import Split
from zoo.engine.nets import Nets
from zoo.metrics.active_units import LEAST
from zoo.nn.layers import Packed
from zoo.plugin import pixels

MOST_VALUES = 20_000  # of one weight; evenly spaced
MOST_WEIGHTS = 100  # of one model, the largest


def weights(model: Any) -> Iterator[tuple[str, np.ndarray]]:
    """``("encoder/00_kernel", values)`` for each weight that is trained."""
    found = [
        (f"{name}/{i:02d}_{variable.name}", variable)
        for name, network in model.networks.items()
        for i, variable in enumerate(network.trainable_variables)
    ]
    largest = sorted(found, key=lambda pair: -np.prod(pair[1].shape, dtype="int64"))[:MOST_WEIGHTS]
    for name, variable in found:
        if any(variable is other for _, other in largest):
            values = updates.copied(variable.value).ravel()
            yield name, np.array(values[:: -(-len(values) // MOST_VALUES)], "float32")


@dataclass(frozen=True)
class Codes:
    """The codes of examples.

    Attributes:
        z: float32 ``(n, d)``; draws from a posterior where there is one.
        kl: KL(q || p) in nats of each dimension, float32 ``(d,)``, the mean over the examples;
            None for a model that does not say.
        active: dimensions in which codes tell examples apart.
    """

    z: np.ndarray
    kl: np.ndarray | None
    active: int


def codes(model: Any, split: Split) -> Codes | None:
    """The codes of examples; None where there are no examples, or the model does not encode."""
    if not len(split):
        return None
    if model.can("posterior"):
        found = model.posterior(split.x, labels=split.y)
        z, mean, kl = found["draw"], found["mean"], found.get("kl")
    elif model.can("encode"):
        z = mean = model.encode(split.x, labels=split.y)
        kl = None
    else:
        return None
    active = int((mean.var(axis=0) > LEAST).sum())
    return Codes(z, None if kl is None else kl.mean(axis=0), active)


def logits(model: Any, split: Split) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """``(network, of real, of fake)`` for each network that gives one number per example or pack.

    A discriminator of examples says it of the given ones and of samples, one of codes of draws from
    the prior and of the examples' codes. One that takes labels is given those of the examples, and
    samples of these labels. Networks that take something else are left out.
    """
    if split.y is not None:
        split = split.take(np.flatnonzero(np.asarray(split.y) >= 0))
    n = len(split)
    if not (n and model.networks):
        return
    labels = split.y if model.plugin.conditional else None
    for name, network in model.networks.items():
        if _judges(network, model.data.shape) and model.can("sample"):
            limits = model.plugin.value_range if model.data.is_image else None
            real = pixels.from_unit(np.asarray(split.x), limits)
            fake = pixels.from_unit(model.sample(n, labels=labels), limits)
        elif _gives_one(network) and model.can("encode") and model.can("latent"):
            real, fake = (  # a prior may be one of labels where samples are not
                model.draw(n, labels=split.y),
                model.encode(split.x, labels=split.y),
            )
            if not _judges(network, real.shape[1:]):
                continue
        else:
            continue
        judge = getattr(Nets(model.networks, False, model.where, model.data), name)
        yield name, _said(judge, real, split.y), _said(judge, fake, split.y)


def _judges(network: Any, shape: tuple[int, ...]) -> bool:
    """Whether a network gives one number per example, or per pack of examples, of this shape."""
    if isinstance(network, Packed):
        network, shape = network.network, Packed.shape(shape, network.size)
    takes: list[Any] = [i for i in getattr(network, "inputs", None) or () if i.name != "labels"]
    return _gives_one(network) and len(takes) == 1 and tuple(takes[0].shape[1:]) == shape


def _gives_one(network: Any) -> bool:
    """Whether a network, or what a pack of examples goes through, gives one number."""
    gives: Any = getattr(getattr(network, "network", network), "outputs", None) or ()
    return len(gives) == 1 and list(gives[0].shape[1:]) in ([], [1])


def _said(judge: Any, x: np.ndarray, labels: Any) -> np.ndarray:
    [said] = keras.tree.flatten(judge(x, labels=labels))
    return keras.ops.convert_to_numpy(said).ravel()
