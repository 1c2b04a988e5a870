"""Chooses a backend and a device before Keras is imported, since that fixes both."""

from __future__ import annotations

import ast
import dataclasses
import importlib.util
import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import ZooError, unknown
from zoo.runtime import files, keras_alone

BACKENDS = ("jax", "tensorflow", "torch")

ON_CPU = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "HIP_VISIBLE_DEVICES": "-1",
    "JAX_PLATFORMS": "cpu",
    "KERAS_TORCH_DEVICE": "cpu",
}
"""Variables that keep the backends on the CPU."""

BY_KERAS = {
    "floatx": "float32",
    "epsilon": 1e-07,
    "backend": "tensorflow",
    "image_data_format": "channels_last",
}
"""The ``keras.json`` that Keras writes by itself, which says nothing of what a person wants."""

_CPU_VARIABLES = {"jax": "JAX_PLATFORMS", "torch": "KERAS_TORCH_DEVICE"}
"""By backend: the variable that names its device."""


@dataclass(frozen=True)
class Choice:
    """A backend and a device, and why.

    Attributes:
        backend: one of ``BACKENDS``.
        device: ``"cpu"``, ``"gpu"`` or ``"gpu:n"``; where it was not demanded, what the
            backend is expected to find.
        reason: why this backend, for people.
        demanded: whether the device was asked for.
    """

    backend: str
    device: str
    reason: str
    demanded: bool = False


def installed() -> tuple[str, ...]:
    """The backends that could be imported, found without importing them."""
    return tuple(name for name in BACKENDS if _importable(name))


def gpus() -> int:
    """How many NVIDIA GPUs this process may use, asked of the system and of no backend.

    Backends use other accelerators too, which only they can find: Apple's and AMD's GPUs,
    TPUs. None of those was at hand to try.
    """
    present, visible = _devices(), _visible()
    if visible is None:
        return present
    # as CUDA does: the first that is not there hides those after it
    wrong = (i for i, name in enumerate(visible) if name.isdecimal() and int(name) >= present)
    return next(wrong, len(visible)) if present else 0


def gpu_present() -> bool:
    """Whether there is an NVIDIA GPU that this process may use."""
    return gpus() > 0


def recipe_order(path: Path, device: str) -> tuple[str, ...]:
    """The backends that a recipe prefers on a device, the best first.

    Reads the recipe without running it. Its module-level ``backends`` is a
    literal: ``("tensorflow", "torch")``, or ``{"cpu": (...), "gpu": (...)}``.
    What it leaves out comes last, in the order of ``BACKENDS``.

    Raises:
        ZooError: the file is missing or not Python, or ``backends`` is neither.
    """
    value = _literal(path, "backends")
    if isinstance(value, Mapping):
        for key in value:
            if key not in ("cpu", "gpu"):
                raise unknown("device", key, ("cpu", "gpu"), where=f"{path}: backends")
        value = value.get(device.partition(":")[0])
    if value is None:
        return BACKENDS
    if not isinstance(value, list | tuple):
        raise ZooError(f"{path}: backends is a tuple of names, or one for 'cpu' and one for 'gpu'")
    for name in value:
        if name not in BACKENDS:
            raise unknown("backend", name, BACKENDS, where=f"{path}: backends")
    return tuple(dict.fromkeys([*value, *BACKENDS]))


def choose(
    option: str | None = None, recipe_path: Path | None = None, device: str | None = None
) -> Choice:
    """Choose a backend and a device.

    The backend is that of the option; else the one that Keras was imported with; else
    ``KERAS_BACKEND``; else that of a ``keras.json`` which differs from the one that Keras writes
    by itself, if it is installed; else the first installed in the recipe's order.

    Args:
        option: what ``--backend`` said.
        recipe_path: the recipe whose preference counts.
        device: what ``--device`` said; by default the backend takes what it finds.

    Raises:
        ZooError: the backend or device is unknown or not there.
    """
    choice = _backend(option, recipe_path, _device(device), device is not None)
    variable = _CPU_VARIABLES.get(choice.backend, "")
    value = os.environ.get(variable, "")
    if value.partition(",")[0] != "cpu" or choice.device == "cpu":
        return choice
    if choice.demanded:
        raise ZooError(
            f"--device {choice.device}: the variable {variable}={value} has {choice.backend} use "
            "the CPU; unset it, or leave the option out"
        )
    return dataclasses.replace(choice, device="cpu")


def _backend(option: str | None, recipe_path: Path | None, device: str, demanded: bool) -> Choice:
    there = installed()
    running = _running()
    if running and not option:
        return Choice(running, device, "Keras was imported with it", demanded)
    variable = os.environ.get("KERAS_BACKEND")
    for name, source in (
        (option, "--backend"),
        (variable if variable != _settled else None, "KERAS_BACKEND"),
    ):
        if not name:
            continue
        if name not in BACKENDS:
            raise unknown("backend", name, BACKENDS, where=source)
        if name not in there:
            raise ZooError(
                f"{source}: {name} is not installed; installed: {', '.join(there) or 'none'}. "
                f"{how_to_install(name)}"
            )
        return Choice(name, device, f"chosen by {source}", demanded)
    configured, file = _configured()
    if configured in there:
        return Choice(configured, device, f"chosen in {file}", demanded)
    order = recipe_order(recipe_path, device) if recipe_path else BACKENDS
    if not there:
        raise ZooError(f"no backend is installed. {how_to_install('jax')}, the lightest")
    if len(there) == 1:
        reason = "the only backend installed"
    elif order != BACKENDS:
        reason = f"the recipe's choice for the {device.partition(':')[0]}"
    else:
        reason = f"the first installed of {', '.join(BACKENDS)}"
    return Choice(next(name for name in order if name in there), device, reason, demanded)


def activate(choice: Choice) -> None:
    """Set the environment from which Keras and the backend take the choice.

    A device that nobody demanded is left to the backend and to the variables that are set.
    The CPU when demanded is not forced on TensorFlow's plugins for other GPUs, such as
    Apple's: no variable does that.

    Raises:
        ZooError: Keras is already imported with another backend.
    """
    if (_running() or choice.backend) != choice.backend:
        raise ZooError(
            f"Keras already runs on {_running()} in this process; "
            f"start a new one to use {choice.backend}"
        )
    kind, _, number = choice.device.partition(":")
    environment = {"KERAS_BACKEND": choice.backend}
    if kind == "cpu" and choice.demanded:
        environment |= ON_CPU
    elif number:
        visible = _visible()
        environment["CUDA_VISIBLE_DEVICES"] = visible[int(number)] if visible else number
    os.environ.update(environment)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    keras_alone.use()


_settled: str | None = None  # what settle chose, which is nobody's KERAS_BACKEND


def settle() -> None:
    """Have Keras take the backend that ``choose`` would, if it is not imported yet.

    Where ``KERAS_BACKEND`` names one that is not there, Keras says so when it is imported.
    """
    global _settled
    if not os.environ.get("KERAS_BACKEND") and _running() is None and installed():
        _settled = _backend(None, None, "cpu", False).backend
        os.environ["KERAS_BACKEND"] = _settled
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def _running() -> str | None:
    """The backend of Keras, if it is imported."""
    keras = sys.modules.get("keras")
    return keras.config.backend() if keras is not None else None


def _configured() -> tuple[str | None, Path]:
    """The backend that a person chose in Keras's configuration file, and the file."""
    file = files.keras_home() / "keras.json"
    try:
        said = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None, file
    chosen = isinstance(said, dict) and said != BY_KERAS
    return (str(said.get("backend")) if chosen else None), file


def how_to_install(backend: str) -> str:
    """The command that adds a backend."""
    return f'To install it: pip install "keras-zoo[{backend}]"'


def _device(option: str | None) -> str:
    """A checked device, or the one expected where there is no option."""
    if option is None:
        return "gpu" if gpu_present() else "cpu"
    if not re.fullmatch(r"cpu|gpu(:\d{1,4})?", option):
        raise ZooError(f"--device: {option!r} is no device. Accepted: cpu, gpu, gpu:0, gpu:1, ...")
    count = gpus()
    if option == "gpu" and _other_gpu():
        return option  # the backend has to say whether it can use it
    if option.startswith("gpu") and int(option[4:] or 0) >= count:
        found = f"there is {count} GPU" if count == 1 else f"there are {count} GPUs"
        raise ZooError(f"--device: no {option} here; {found if count else 'no GPU was found'}")
    return option


def _other_gpu() -> bool:
    """Whether the system may have a GPU of Apple's or AMD's that a backend can use."""
    apple = sys.platform == "darwin" and os.uname().machine == "arm64"
    return apple or Path("/dev/kfd").exists()  # the latter of AMD's ROCm driver


def _visible() -> list[str] | None:
    """The GPUs that ``CUDA_VISIBLE_DEVICES`` leaves, or None when it says nothing."""
    setting = os.environ.get("CUDA_VISIBLE_DEVICES")
    if setting is None:
        return None
    names = [name.strip() for name in setting.split(",")]
    return names[: names.index("-1")] if "-1" in names else [name for name in names if name]


def _devices() -> int:
    """How many NVIDIA GPUs the system has."""
    nodes = [path for path in Path("/dev").glob("nvidia*") if re.fullmatch(r"nvidia\d+", path.name)]
    if nodes:
        return len(nodes)
    import subprocess

    command = shutil.which("nvidia-smi")  # Windows and WSL have no such nodes.
    if command is None:
        return 0
    try:
        listed = subprocess.run([command, "-L"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())


def _importable(name: str) -> bool:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return False
    # A bare folder of that name in the working directory has no origin.
    return spec is not None and spec.origin is not None


def _literal(path: Path, name: str) -> Any:
    """The value of a module-level literal in a Python file, or None."""
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except OSError as error:
        raise ZooError(f"cannot read the recipe {path}: {error.strerror or error}") from error
    except SyntaxError as error:
        line = f" (line {error.lineno})" if error.lineno else ""
        raise ZooError(f"{path} is not Python: {error.msg}{line}") from error
    except (ValueError, RecursionError) as error:
        raise ZooError(f"{path} is not Python: {error}") from error
    for node in reversed(tree.body):
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            try:
                return ast.literal_eval(value)
            except (ValueError, TypeError):
                raise ZooError(
                    f"{path}, line {node.lineno}: {name} is read without running the file, "
                    "so it has to be a literal"
                ) from None
    return None
