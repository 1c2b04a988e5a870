"""What JAX compiles is kept, so that the same training starts sooner the next time."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import platform
import warnings
from pathlib import Path
from typing import Any

import jax
from jax.experimental.compilation_cache import compilation_cache

from zoo.runtime import files

BYTES = 1 << 30  # kept at most, the oldest given up first
SECONDS = 0.1  # of compiling, from which on a program is kept

_before: dict[str, Any] = {}  # of JAX's settings
_filters: list[Any] = []  # those that this module added to ``warnings.filters``
_RACE = "Error (reading|writing) persistent compilation cache entry"
"""JAX's warning where one process gives up what another is about to read. It is harmless."""


def install() -> str | None:
    """Use JAX's cache of compiled programs, in the folder where Keras keeps its data.

    JAX's own variables come first: ``JAX_COMPILATION_CACHE_DIR`` names another folder, and
    ``JAX_ENABLE_COMPILATION_CACHE=false`` keeps nothing. Where the folder cannot be written,
    nothing is kept either.

    Returns:
        Why nothing was changed; None where it was.
    """
    if jax.config.jax_compilation_cache_dir:
        return "JAX keeps them in a folder of your own"
    if not jax.config.jax_enable_compilation_cache:
        return "JAX is set to keep none"
    folder = files.keras_home() / "zoo" / "jax" / _machine()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return f"{folder} cannot be made: {error.strerror}"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"{folder} cannot be written"
    settings: dict[str, Any] = {
        "jax_compilation_cache_dir": str(folder),
        "jax_persistent_cache_min_compile_time_secs": SECONDS,
    }
    if importlib.util.find_spec("filelock"):  # which JAX needs to count what is there
        settings["jax_compilation_cache_max_size"] = BYTES
    _before.update({name: getattr(jax.config, name) for name in settings})
    _set(settings)
    warnings.filterwarnings("ignore", _RACE, UserWarning)
    _filters.append(warnings.filters[0])
    return None


def undo() -> None:
    """Give JAX back its settings, and warnings theirs; the folder stays."""
    _set(_before)
    _before.clear()
    with contextlib.suppress(ValueError):  # warnings.catch_warnings has taken it back already
        warnings.filters.remove(_filters.pop())


def _set(settings: dict[str, Any]) -> None:
    for name, value in settings.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()  # JAX may have looked for a folder already


def _machine() -> str:
    """A word for the processor: a home may be shared by machines that cannot run each other's."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    told = f"{platform.machine()} {platform.processor()} {flags}"
    return hashlib.sha256(told.encode()).hexdigest()[:12]
