"""Commands import Keras without the libraries that it only wraps: a third of its import time."""

from __future__ import annotations

import importlib.abc
import sys
from types import FrameType

WRAPPED = ("sklearn", "IPython")
"""For Keras's estimators as scikit-learn has them, and for notebooks."""


def use() -> None:
    """Have Keras, if it is not imported yet, take ``WRAPPED`` for not installed.

    Whoever else imports them gets them.
    """
    if not any(isinstance(finder, _Absent) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Absent())


class _Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in WRAPPED and _importer().partition(".")[0] == "keras":
            raise ModuleNotFoundError(f"{name} is left out of Keras in a command", name=name)


def _importer() -> str:
    """The module whose import statement is being carried out."""
    frame: FrameType | None = sys._getframe(2)
    while frame and str(frame.f_globals.get("__name__")).startswith("importlib."):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__")) if frame else ""
