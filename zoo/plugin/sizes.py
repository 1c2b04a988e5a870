"""What the layers of a network give, as their shapes say before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from zoo.runtime import memory

_BYTES = 4  # of a number in float32


def outputs(network: Any) -> Iterator[tuple[Any, tuple[int, ...]]]:
    """Every operation of a network and of those in it, and the shape that it gives one example."""
    for layer in network._flatten_layers():
        for operation in getattr(getattr(layer, "_functional", layer), "operations", ()):
            for node in operation._inbound_nodes:
                for tensor in node.output_tensors:
                    yield operation, tuple(size or 1 for size in tensor.shape)


def check_batch(networks: Iterable[Any], shapes: Iterable[tuple[int, ...]], rows: int) -> None:
    """Refuse batches of which the widest part alone fills the memory.

    Args:
        networks: of the model.
        shapes: of one example of each source.
        rows: examples in a step.

    Raises:
        ZooError: with the estimate.
    """
    widest, what = sum(map(math.prod, shapes)), "the examples"
    for network in networks:
        for operation, shape in outputs(network):
            if math.prod(shape) > widest:
                widest, what = math.prod(shape), f"what {operation.name} gives for it"
    memory.refuse_beyond(
        rows * widest * _BYTES,
        f"a batch of {rows:,}: {what} alone, {widest:,} numbers for each example,",
        "take a smaller dataset.batch_size, or a smaller model",
    )
