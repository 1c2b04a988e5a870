"""What the layers of a network give, as their shapes say before anything is computed."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterable
from typing import Any

from zoo.runtime import memory
from zoo.runtime.keras_compat import outputs

_BYTES = 4  # of a number in float32


def check_batch(networks: Iterable[Any], shapes: Iterable[tuple[int, ...]], rows: int) -> None:
    """Refuse a batch whose largest tensor alone would fill the memory.

    Args:
        networks: of the model.
        shapes: of one example of each source.
        rows: examples in a step.

    Raises:
        ZooError: with the estimate.
    """
    widest, what = sum(map(math.prod, shapes)), "the examples"
    with contextlib.suppress(AttributeError):  # a Keras that does not tell: no estimate
        for operation, shape in itertools.chain.from_iterable(map(outputs, networks)):
            if math.prod(shape) > widest:
                widest, what = math.prod(shape), f"what {operation.name} gives for it"
    memory.refuse_beyond(
        rows * widest * _BYTES,
        f"a batch of {rows:,}: {what} alone, {widest:,} numbers for each example,",
        "take a smaller dataset.batch_size, or a smaller model",
    )
