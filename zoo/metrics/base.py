"""What every metric is: settings, the ability it needs, a number with its protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from zoo.datasets import Split
    from zoo.engine.base import GenerativeModel


@dataclass(frozen=True)
class Measured:
    """A number, and what it means.

    Attributes:
        value: the number.
        unit: such as ``"nats"``; empty where there is none.
        protocol: how it was measured, for a reader who would measure it again.
    """

    value: float
    unit: str
    protocol: str


@dataclass(frozen=True)
class Metric:
    """Base of metrics: a frozen dataclass of settings.

    Attributes:
        name: what results call it.
        needs: the ability a model must have for it.
    """

    name: ClassVar[str]
    needs: ClassVar[str]

    def measure(self, model: GenerativeModel, split: Split, seed: int) -> Measured:
        """Measure the model on examples that it was not trained on.

        Args:
            model: a trained model.
            split: the examples, as they would be validated on.
            seed: of what the metric draws.
        """
        raise NotImplementedError(f"{type(self).__name__} has to define measure")
