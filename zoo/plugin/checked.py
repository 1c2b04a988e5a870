"""Checks of settings, which plugins make of themselves."""

from __future__ import annotations

from zoo.errors import ZooError, nearest
from zoo.plugin import limits


class Checked:
    """Base of dataclasses of settings: checks for their ``__post_init__``."""

    def check_count(self, setting: str, low: int, high: int = limits.MOST_COUNT) -> None:
        """Refuse a setting that is not an integer from ``low`` to ``high``."""
        limits.check_count(self, setting, low, high)

    def check_share(self, setting: str) -> None:
        """Refuse a setting that is not a number in [0, 1); an integer becomes a float."""
        value = getattr(self, setting)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not (number and 0 <= value < 1):
            raise ZooError(f"{type(self).__name__}: {setting} is in [0, 1); got {value!r}")
        object.__setattr__(self, setting, float(value))

    def check_choice(self, setting: str, choices: tuple[str, ...]) -> None:
        """Refuse a setting that is none of the words accepted."""
        value = getattr(self, setting)
        if value not in choices:
            listed = f"{', '.join(map(repr, choices[:-1]))} or {choices[-1]!r}"
            raise ZooError(
                f"{type(self).__name__}: {setting} is {listed}; "
                f"got {value!r}{nearest(value, choices)}"
            )
