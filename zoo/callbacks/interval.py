"""How often something is done: every so many epochs, steps, minutes or seconds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from zoo.errors import ZooError

_SECONDS = {"second": 1, "minute": 60}
_EXAMPLES = {"epoch": "epoch", "step": "500 steps", "minute": "10 minutes"}


@dataclass(frozen=True)
class Interval:
    """So many of a unit.

    Attributes:
        count: how many; whole for epochs and steps.
        unit: ``"epoch"``, ``"step"``, ``"minute"`` or ``"second"``.
    """

    count: float
    unit: str

    @classmethod
    def parse(
        cls,
        text: str | int,
        where: str,
        units: tuple[str, ...] = ("epoch", "step", "minute", "second"),
    ) -> Interval:
        """What ``"epoch"``, ``"500 steps"``, ``"10 minutes"`` or a number of epochs says.

        Args:
            text: a number of epochs; or a unit, with or without a number before it.
            where: the message begins with it.
            units: those accepted.

        Raises:
            ZooError: it says none of these.
        """
        pattern = rf"(?=.)(\d+(?:\.\d+)?)?(?: ?({'|'.join(units)})s?)?"
        found = None if isinstance(text, bool) else re.fullmatch(pattern, str(text))
        count, unit = (float(found[1] or 1), found[2] or "epoch") if found else (0.0, "")
        if count <= 0 or (unit in ("epoch", "step") and count % 1):
            examples = [f"'{_EXAMPLES[unit]}'" for unit in units if unit in _EXAMPLES]
            raise ZooError(
                f"{where}: every is a number of epochs, {', '.join(examples)} or the like, "
                f"not {text!r}"
            )
        return cls(count, unit)

    def over(self, steps: int, epochs: int | None = None, seconds: float = 0.0) -> bool:
        """Whether one has just come to its end.

        Args:
            steps: made in all.
            epochs: that are complete, where one has just ended; None within an epoch.
            seconds: since the end of the last one.
        """
        if self.unit in _SECONDS:
            return seconds >= self.count * _SECONDS[self.unit]
        made = steps if self.unit == "step" else epochs
        return made is not None and not made % self.count
