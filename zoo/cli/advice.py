"""What a person should know before a long run."""

from __future__ import annotations

from zoo.engine.backends import backend
from zoo.errors import ZooError
from zoo.runtime import backends
from zoo.runtime.backends import Choice


def other_device(choice: Choice) -> str | None:
    """A line where the backend computes on another device than was chosen or expected.

    Raises:
        ZooError: a GPU was demanded and the backend uses none.
    """
    found = backend.device()
    if (found == "cpu") == (choice.device == "cpu"):
        return None
    if found != "cpu" and choice.demanded:
        return f"--device cpu: {choice.backend} computes on {found} all the same"
    if found != "cpu":
        return f"{choice.backend} found a device of its own and computes on {found}"
    fault = f"this installation of {choice.backend} cannot use the GPU"
    remedy = f". {backends.how_to_install(f'{choice.backend}-cuda')}" if backends.gpus() else ""
    if choice.demanded:
        raise ZooError(f"--device: {fault}{remedy}")
    return f"{fault} and runs on the CPU{remedy}"
