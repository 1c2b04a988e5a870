"""Schedules of a term's weight: functions of the training step.

A recipe gives one in place of a number:
``weights={"autoencoder": {"kl": zoo.nn.schedules.WarmUp(5000)}}``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import keras
from keras import ops

from zoo.errors import ZooError
from zoo.plugin import limits


class Schedule:
    """A function of the step that ``keras.saving`` can write down."""

    start: float
    end: float

    def get_config(self):
        return asdict(self)  # type: ignore[call-overload]

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def _line(self, way):
        """From ``start`` to ``end`` as ``way`` goes from 0 to 1, and ``end`` beyond."""
        return self.start + (self.end - self.start) * ops.minimum(way, 1.0)


@keras.saving.register_keras_serializable("zoo")
@dataclass(frozen=True)
class WarmUp(Schedule):
    """A straight line from ``start`` to ``end``, and ``end`` from then on.

    On a VAE's KL, the warm-up of Sønderby et al. 2016, section 2.3.

    Attributes:
        steps: training steps that the line takes, at least 1.
        start: value at step 0.
        end: value from step ``steps`` on.
    """

    steps: int
    start: float = 0.0
    end: float = 1.0

    def __post_init__(self):
        limits.check_count(self, "steps", 1)

    def __call__(self, step):
        """The value at a step, an int or an int32 scalar tensor, as a float32 scalar."""
        return self._line(ops.cast(step, "float32") / self.steps)


@keras.saving.register_keras_serializable("zoo")
@dataclass(frozen=True)
class Cyclic(Schedule):
    """A warm-up that begins again every ``period`` steps (Fu et al. 2019, equations 6 and 7).

    Attributes:
        period: training steps of a cycle, at least 1; the paper's T / M.
        ramp: share of a cycle in which the value rises along a straight line, in (0, 1];
            the paper's R.
        start: value at the beginning of each cycle.
        end: value after the ramp.
    """

    period: int
    ramp: float = 0.5
    start: float = 0.0
    end: float = 1.0

    def __post_init__(self):
        limits.check_count(self, "period", 1)
        if not 0 < self.ramp <= 1:
            raise ZooError(f"Cyclic.ramp is in (0, 1], not {self.ramp}")

    def __call__(self, step):
        """The value at a step, an int or an int32 scalar tensor, as a float32 scalar."""
        place = ops.cast(ops.mod(step, self.period), "float32") / self.period
        return self._line(place / self.ramp)
