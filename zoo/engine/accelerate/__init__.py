"""What makes training faster by reaching into a framework: one table, and a switch for each entry.

Nothing here changes a result beyond rounding, and nothing is needed: with ``ZOO_ACCELERATE=none``
the engine runs Keras as it comes. ``zoo.build`` installs what is wanted, ``undo`` takes it back.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import ModuleType

from zoo.errors import unknown
from zoo.runtime.console import say

VARIABLE = "ZOO_ACCELERATE"
"""``all`` (the default), ``none``, names to leave out (``-malloc,-torch_adam``) or the only ones
wanted (``malloc,torch_adam``)."""

KERAS = {"keras": ("3.15", "3.15")}
JAX = {"jax": ("0.7", "0.10")}
TENSORFLOW = {"tensorflow": ("2.20", "2.21")}
TORCH = {"torch": ("2.8", "2.13")}


@dataclass(frozen=True)
class Acceleration:
    """An entry of the table.

    Attributes:
        name: as in ``ZOO_ACCELERATE``; where ``install`` says so, also of its module.
        backends: that it is for.
        what: what it does, in a few words.
        patches: what it changes: ``"process"``, other people's models included; ``"optimizer"``,
            the optimizer objects that a zoo model is compiled with, for as long as they live; or
            ``"nothing"`` but how the engine itself computes.
        device: ``"cpu"``, or ``"any"``.
        read: ``{framework: (first, last version)}`` whose inner workings it was written for.
            Empty where it uses public interfaces alone.
        install: ``module.function`` that makes it ready, and returns why it is not on or None.
            It raises what the framework raises where it is not as expected.
        undo: ``module.function`` that takes a patch of the process back.
        irreversible: whether a patch of the process stays until the process ends.
    """

    name: str
    backends: tuple[str, ...]
    what: str
    patches: str
    device: str = "any"
    read: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    install: str | None = None
    undo: str | None = None
    irreversible: bool = False


TABLE = (
    Acceleration(
        "malloc",
        ("jax", "tensorflow", "torch"),
        "keep freed memory: mapping it again can cost more than a small training step",
        patches="process",
        device="cpu",
        install="malloc.retain_freed_memory",
        irreversible=True,
    ),
    Acceleration(
        "jax_convolutions",
        ("jax",),
        "rewrite convolutions that XLA compiles badly for CPUs",
        patches="process",
        device="cpu",
        read=JAX,
        install="jax_convolutions.install",
        undo="jax_convolutions.undo",
    ),
    Acceleration(
        "jax_compilation_cache",
        ("jax",),
        "keep compiled programs, so that the same training starts sooner the next time",
        patches="process",
        install="jax_compilation_cache.install",
        undo="jax_compilation_cache.undo",
    ),
    Acceleration(
        "jax_initial_values",
        ("jax",),
        "make first values of variables on the host, where JAX compiles a program for each shape",
        patches="nothing",
        read=KERAS,
        install="jax_initial_values.install",
    ),
    Acceleration(
        "jax_compiler_options",
        ("jax",),
        "have XLA use its library YNN for matrix products alone",
        patches="nothing",
        device="cpu",
        install="jax_compiler_options.install",
    ),
    Acceleration(
        "jax_chunk_program",
        ("jax",),
        "make the steps of a chunk in one program, for networks without convolutions",
        patches="nothing",
    ),
    Acceleration(
        "repeated_moves",
        ("jax",),
        "compile a move that a step repeats once, as a loop",
        patches="nothing",
    ),
    Acceleration(
        "tensorflow_adam",
        ("tensorflow",),
        "make Adam's update in one pass over memory",
        patches="optimizer",
        read=KERAS,
        install="tensorflow_adam.install",
    ),
    Acceleration(
        "tensorflow_gradients",
        ("tensorflow",),
        "let go of the graphs of steps that nobody uses any more",
        patches="process",
        read=TENSORFLOW,
        install="tensorflow_gradients.install",
        undo="tensorflow_gradients.undo",
    ),
    Acceleration(
        "tensorflow_chunk_program",
        ("tensorflow",),
        "make the steps of a chunk in one program",
        patches="nothing",
    ),
    Acceleration(
        "torch_adam",
        ("torch",),
        "make Adam's update in one pass over memory",
        patches="optimizer",
        device="cpu",
        read={**KERAS, **TORCH},
        install="torch_adam.install",
    ),
    Acceleration(
        "torch_graphs",
        ("torch",),
        "trace the passes of a move once, and run them without Keras",
        patches="nothing",
        read=TORCH,
        install="torch_graphs.install",
    ),
    Acceleration(
        "torch_batch_norm",
        ("torch",),
        "normalize batches in one operation",
        patches="process",
        read={**KERAS, **TORCH},
        install="torch_batch_norm.install",
        undo="torch_batch_norm.undo",
    ),
    Acceleration(
        "torch_layer_norm",
        ("torch",),
        "normalize the layers of a critic in one operation",
        patches="nothing",
        read=TORCH,
        install="torch_layer_norm.install",
    ),
    Acceleration(
        "torch_convolutions",
        ("torch",),
        "convolve and pool pictures without copies",
        patches="process",
        device="cpu",
        read={**KERAS, **TORCH},
        install="torch_convolutions.install",
        undo="torch_convolutions.undo",
    ),
)

_on: dict[str, ModuleType | None] = {}  # installed ones, with their module
_why_off: dict[str, str] = {}
_installed_for: tuple[str, str, str] | None = None  # backend, device and value of the variable
_told: set[str] = set()


def on(name: str) -> bool:
    """Whether an acceleration is on."""
    return name in _on


def module(name: str) -> ModuleType | None:
    """The module of an acceleration that is on; else None."""
    return _on.get(name)


def initial_values() -> contextlib.AbstractContextManager:
    """Within it, variables that are made take their first values from where that is fastest."""
    own = module("jax_initial_values")
    return own.on_host() if own else contextlib.nullcontext()


def wanted() -> frozenset[str]:
    """The names that ``ZOO_ACCELERATE`` asks for.

    Raises:
        ZooError: it has a name that is not in the table.
    """
    names = [entry.name for entry in TABLE]
    words = [word.strip() for word in (os.environ.get(VARIABLE) or "all").split(",")]
    words = [word for word in words if word]
    found = set(names if all(word.startswith("-") for word in words) else ())
    for word in words:
        name = word.removeprefix("-")
        if word in ("all", "none"):
            found = set(names if word == "all" else ())
        elif name not in names:
            raise unknown("acceleration", name, [*names, "all", "none"], where=VARIABLE)
        elif word == name:
            found.add(name)
        else:
            found.discard(name)
    return frozenset(found)


def install(backend: str, device: str) -> None:
    """Turn on what is wanted for a backend on a device, and off what no longer is.

    What does not fit the installed frameworks stays off, and one line on stderr says so.

    Args:
        backend: as Keras names it.
        device: ``"cpu"``, or another.

    Raises:
        ZooError: ``ZOO_ACCELERATE`` has a name that is not in the table.
    """
    global _installed_for
    state = (backend, device, os.environ.get(VARIABLE) or "all")
    if state == _installed_for:
        return
    names = wanted()
    _remove(entry for entry in TABLE if entry.name not in names)
    _why_off.clear()
    faults = {}
    for entry in TABLE:
        if backend not in entry.backends or on(entry.name):
            continue
        why = _excluded(entry, names, device)
        if why is None:
            why = faults[entry.name] = _misfit(entry)
        if why is None:
            try:
                loaded, why = _load(entry)
            except Exception as error:  # whatever a framework's insides raise when they change
                why = faults[entry.name] = f"{type(error).__name__}: {error}"
        if why is None:
            _on[entry.name] = loaded
        else:
            _why_off[entry.name] = why
    _installed_for = state
    _tell({name: why for name, why in faults.items() if why})


def undo() -> None:
    """Turn everything off, and give the process back its frameworks as they came.

    The next ``zoo.build`` turns it on again, unless ``ZOO_ACCELERATE`` says otherwise. What
    the table marks as irreversible stays on. Optimizers that models were compiled with keep their
    update, and compiled training steps stay as they are.
    """
    global _installed_for
    _remove(TABLE)
    _installed_for = None


def active() -> list[str]:
    """Names of what is on, in the table's order."""
    return [entry.name for entry in TABLE if on(entry.name)]


def report(backend: str) -> list[dict[str, str | bool]]:
    """What there is for a backend: ``name``, ``on``, and ``why`` it is off."""
    return [
        {"name": entry.name, "on": on(entry.name), "why": _why_off.get(entry.name, "")}
        for entry in TABLE
        if backend in entry.backends
    ]


def _excluded(entry: Acceleration, names: frozenset[str], device: str) -> str | None:
    """Why an acceleration is not asked for; None where it is."""
    if entry.name not in names:
        return f"left out by {VARIABLE}"
    if entry.device not in ("any", device):
        return f"only for the {entry.device.upper()}"
    return None


def _misfit(entry: Acceleration) -> str | None:
    """Which framework has a version that an acceleration was not written for."""
    for framework, (first, last) in entry.read.items():
        found = sys.modules[framework].__version__
        if not _numbers(first) <= _numbers(found) <= _numbers(last):
            span = first if first == last else f"{first} to {last}"
            return f"written for {framework} {span}, and this is {found}"
    return None


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)[:2]]


def _load(entry: Acceleration) -> tuple[ModuleType | None, str | None]:
    """The module of an acceleration, made ready, and why it is not on."""
    if entry.install is None:
        return None, None
    name, _, function = entry.install.partition(".")
    loaded = importlib.import_module(f"{__name__}.{name}")
    return loaded, getattr(loaded, function)()


def _remove(entries: Iterable[Acceleration]) -> None:
    for entry in entries:
        if not on(entry.name) or entry.irreversible:
            continue
        loaded = _on.pop(entry.name)
        if entry.undo is not None:
            getattr(loaded, entry.undo.partition(".")[2])()


def _tell(faults: Mapping[str, str]) -> None:
    """One line for all that should be on and is not, once in a process."""
    fresh = {name: why for name, why in faults.items() if name not in _told}
    if not fresh:
        return
    _told.update(fresh)
    names: dict[str, list[str]] = {}
    for name, why in fresh.items():
        names.setdefault(" ".join(why.split()), []).append(name)
    parts = "; ".join(f"{', '.join(own)} ({why})" for why, own in names.items())
    say(f"slower than it could be, without {parts}. {VARIABLE}=none leaves accelerations out")
