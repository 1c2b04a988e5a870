"""What a person should know before a long run."""

from __future__ import annotations

import keras

from zoo.backends import Choice, how_to_install
from zoo.engine import backend
from zoo.errors import ZooError


def missing_gpu(choice: Choice, demanded: bool) -> str | None:
    """A line where the machine has a GPU and the installed backend cannot use it.

    Raises:
        ZooError: the GPU was demanded by name.
    """
    if not choice.device.startswith("gpu") or backend.device() != "cpu":
        return None
    fault = f"this installation of {choice.backend} cannot use the GPU"
    remedy = how_to_install(f"{choice.backend}-cuda")
    if demanded:
        raise ZooError(f"--device: {fault}. {remedy}")
    return f"{fault} and runs on the CPU. {remedy}"


def slow_convolutions(model: keras.Model, choice: Choice) -> str | None:
    """A line on what transposed convolutions cost on JAX's CPU backend, where they do."""
    if choice.backend != "jax" or backend.device() != "cpu":
        return None
    transposed = (keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose)
    if not any(isinstance(layer, transposed) for layer in model._flatten_layers(recursive=True)):
        return None
    faster = [name for name in choice.better if name in ("tensorflow", "torch")] or ["tensorflow"]
    return (
        "on a CPU, JAX trains transposed convolutions 10 to 20 times slower than TensorFlow or "
        f"PyTorch. {how_to_install(faster[0])}; then add --backend {faster[0]}"
    )
