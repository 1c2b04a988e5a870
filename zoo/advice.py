"""What a person should know before a long run."""

from __future__ import annotations

import keras

from zoo.backends import Choice, how_to_install


def slow_convolutions(model: keras.Model, choice: Choice) -> str | None:
    """A line on what transposed convolutions cost on JAX's CPU backend, where they do."""
    transposed = (keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose)
    layers = model._flatten_layers(recursive=True)
    if choice.backend != "jax" or choice.device != "cpu":
        return None
    if not any(isinstance(layer, transposed) for layer in layers):
        return None
    faster = [name for name in choice.better if name in ("tensorflow", "torch")] or ["tensorflow"]
    return (
        "on a CPU, JAX trains transposed convolutions 10 to 20 times slower than TensorFlow or "
        f"PyTorch. {how_to_install(faster[0])}; then add --backend {faster[0]}"
    )
