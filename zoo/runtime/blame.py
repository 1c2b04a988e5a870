"""Whose fault an exception is: code of a recipe or plugin, told in one message."""

from __future__ import annotations

import contextlib
import itertools
import linecache
import re
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from zoo.errors import CodeFailed, ZooError, shortened

_ZOO = Path(__file__).parents[1]


@contextlib.contextmanager
def blaming(what: str) -> Iterator[None]:
    """Tell what a recipe's or plugin's code raises as one message on ``what`` raised it.

    >>> with blaming("VAE.elbo"):
    ...     1 / 0
    Traceback (most recent call last):
    zoo.errors.CodeFailed: VAE.elbo raised ZeroDivisionError: division by zero

    Raises:
        CodeFailed: in place of anything but a ``ZooError``.
    """
    try:
        yield
    except ZooError:
        raise
    except Exception as error:
        raised = f"{what} raised {type(error).__name__}: {_text(error)}".rstrip(": ")
        raise CodeFailed(f"{raised}{_place(error)}{_foreign(error)}") from error


def _foreign(error: Exception) -> str:
    """A hint where the line that failed uses a backend that is not the one of this process."""
    from zoo.runtime.backends import BACKENDS

    keras = sys.modules.get("keras")
    step, found = error.__traceback__, None
    while step is not None:
        line = linecache.getline(step.tb_frame.f_code.co_filename, step.tb_lineno)
        known = {**step.tb_frame.f_globals, **step.tb_frame.f_locals}
        for word in re.findall(r"\b[A-Za-z_]\w*", line):
            if isinstance(known.get(word), ModuleType):
                top = known[word].__name__.partition(".")[0]
                if top in BACKENDS and not _within(top, step.tb_frame.f_globals):
                    found = found or top
        step = step.tb_next
    here = keras.backend.backend() if keras is not None and hasattr(keras, "backend") else None
    if found is None or here is None or found == here:
        return ""
    return f": it calls {found}, and this is {here}; keras.ops works on every backend"


def _within(package: str, namespace: dict) -> bool:
    """Whether code is of a package, or of the zoo or Keras, which know their backends."""
    return str(namespace.get("__name__")).partition(".")[0] in (package, "zoo", "keras")


def _text(error: Exception) -> str:
    # Keras prints the message bold and the arguments of the layer's call below it, JAX a note
    plain = re.sub("\x1b\\[[0-9;]*m", "", str(error)).partition("Arguments received by")[0]
    plain = plain.partition("--------------------\nFor simplicity, JAX")[0]
    return shortened(plain, 600)


def _place(error: Exception) -> str:
    """The line that failed of the file whose code was called."""
    called = traceback.extract_tb(error.__traceback__)[2:]  # after `blaming` and its block
    called = list(itertools.dropwhile(lambda frame: _ZOO in Path(frame.filename).parents, called))
    if not called:  # the call itself failed
        return ""
    line = [frame.lineno for frame in called if frame.filename == called[0].filename][-1]
    return f" ({Path(called[0].filename).name}, line {line})"
