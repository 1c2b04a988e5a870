"""What a training step did to each player: norms of gradients, weights and updates.

Read from the weights and the optimizers before and after a step, so that the step itself is the
same whether or not anybody looks, on every backend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np


@dataclass(frozen=True)
class Memory:
    """What an optimizer remembers of gradients: ``slot = decay * slot + gain * gradient ** power``.

    Attributes:
        slots: its variables, one per weight.
        decay: what an update leaves of what was there.
        gain: the factor of the new gradient.
        power: 1 where gradients are remembered, 2 where their squares are.
    """

    slots: Sequence[Any]
    decay: float
    gain: float
    power: int = 1

    @classmethod
    def of(cls, optimizer: Any, weights: Sequence[Any]) -> Memory | None:
        """That of one of Keras's optimizers; None of another, or where it remembers nothing.

        Gradients are as the optimizer uses them: clipped, where it clips.
        """
        known = keras.optimizers
        if isinstance(optimizer, known.Lion):
            return cls(optimizer._momentums, optimizer.beta_2, 1 - optimizer.beta_2)
        if isinstance(optimizer, (known.Adam, known.Nadam)):  # AdamW is an Adam
            return cls(optimizer._momentums, optimizer.beta_1, 1 - optimizer.beta_1)
        if isinstance(optimizer, known.Adamax):
            return cls(optimizer._m, optimizer.beta_1, 1 - optimizer.beta_1)
        if isinstance(optimizer, known.RMSprop):
            return cls(optimizer._velocities, optimizer.rho, 1 - optimizer.rho, power=2)
        if isinstance(optimizer, known.Adagrad):
            return cls(optimizer._accumulators, 1.0, 1.0, power=2)
        if isinstance(optimizer, known.SGD):
            rate = _number(optimizer.learning_rate)
            if optimizer.momentum:
                return cls(optimizer.momentums, optimizer.momentum, -rate)
            if not optimizer.weight_decay:
                return cls(weights, 1.0, -rate)
        return None


class Before:
    """A player before a step.

    Args:
        optimizer: the player's.
        weights: the variables that it moves.
    """

    def __init__(self, optimizer: Any, weights: Sequence[Any]):
        self._optimizer = inner(optimizer)
        self._weights = weights
        self._moves = moves(optimizer)
        self._memory = Memory.of(self._optimizer, weights)
        self._values = _copies(weights)
        self._slots = _copies(self._memory.slots) if self._memory else []

    def after(self) -> dict[str, float]:
        """What has changed since, the player now being after the step.

        Returns:
            - ``weight_norm``: Euclidean norm of all its weights.
            - ``update_ratio``: that of the change of the weights, divided by that of the weights.
            - ``gradient_norm``: that of the gradient, weighted by the player's loss; of several
              moves in a step, the norm of their mean, the last ones counting most, as the
              optimizer remembers them. Missing where the player did not move, or the optimizer
              remembers no gradient.
        """
        values = _copies(self._weights)
        old = _norm(self._values)
        found = {"weight_norm": _norm(values)}
        if old > 0:
            found["update_ratio"] = _norm(_differences(values, self._values)) / old
        made, memory = moves(self._optimizer) - self._moves, self._memory
        if memory is None or made < 1:
            return found
        left = np.float32(memory.decay**made)
        for before in self._slots:
            before *= left
        sums = _differences(_copies(memory.slots), self._slots)
        share = memory.gain * sum(memory.decay**i for i in range(made))
        if not share:
            return found
        if memory.power == 2:
            total = sum(float(part.sum(dtype="float64")) for part in sums)
            found["gradient_norm"] = max(total / share, 0.0) ** 0.5
        else:
            found["gradient_norm"] = _norm(sums) / abs(share)
        return found


def inner(optimizer: Any) -> Any:
    """The optimizer that moves the weights, where another one scales its loss."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def moves(optimizer: Any) -> int:
    """How often an optimizer has moved its weights."""
    return int(_number(inner(optimizer).iterations))


def rate(optimizer: Any) -> float:
    """The learning rate now; a schedule's value at this step."""
    return _number(optimizer.learning_rate)


def _number(value: Any) -> float:
    return float(copied(value))


def _copies(variables: Sequence[Any]) -> list[np.ndarray]:
    return [np.asarray(copied(v.value), "float32").ravel() for v in variables]


def _differences(new: Sequence[np.ndarray], old: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
    """New minus old, in the memory of the old ones."""
    for after, before in zip(new, old, strict=True):
        np.subtract(after, before, out=before)
    return old


def copied(value: Any) -> np.ndarray:
    """A tensor's numbers, in memory of their own.

    Steps may overwrite a variable's memory. On JAX they also fail on memory that an array of NumPy
    looks into, which an array of JAX keeps; so another array of the same memory is asked there. A
    copy made by JAX is an operation of its own, and takes five times as long.
    """
    if hasattr(value, "addressable_data"):
        return np.array(value.addressable_data(0))
    return keras.ops.convert_to_numpy(keras.ops.copy(value))


def _norm(parts: Sequence[np.ndarray]) -> float:
    # BLAS's product of float32 depends on where in memory the numbers lie
    return sum(float(np.square(part, dtype="float64").sum()) for part in parts) ** 0.5
