"""Where and how a measuring process computes: device, precision, steps of a chunk."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

PRECISIONS = ("float32", "bfloat16", "tf32")
"""Float32 without TF32; Keras's policy ``mixed_bfloat16``, with TF32 for what stays in float32;
float32 with TF32 for matrix products and convolutions."""


@dataclass(frozen=True)
class Setting:
    """What a process applies to itself before it trains.

    Attributes:
        device: ``"cpu"`` or ``"gpu"``.
        precision: one of ``PRECISIONS``.
        chunks: whether the zoo makes several steps in a call; else a chunk is one step.
    """

    device: str
    precision: str = "float32"
    chunks: bool = True

    def __str__(self) -> str:
        return self.precision if self.chunks else f"{self.precision}, one step a chunk"

    def before_keras(self, backend: str) -> None:
        """Choose the device, as an import of the backend fixes it."""
        from zoo.runtime.backends import Choice, activate

        activate(Choice(backend, self.device, "a benchmark", demanded=True))

    def apply(self, backend: str) -> None:
        """Set precision and chunks, in the backend and in Keras.

        Raises:
            RuntimeError: the backend computes on another device.
        """
        import keras

        from zoo.training import chunks

        _TF32[backend](self.precision != "float32")
        if self.precision == "bfloat16":
            keras.config.set_dtype_policy("mixed_bfloat16")
        if not self.chunks:
            chunks.MOST = 1  # in this process alone
        found = importlib.import_module("zoo.engine.backends").backend.device()
        if found != self.device:
            raise RuntimeError(f"{backend} computes on {found}, not on {self.device}")


def _jax(allowed: bool) -> None:
    import jax

    jax.config.update("jax_default_matmul_precision", "tensorfloat32" if allowed else "float32")


def _tensorflow(allowed: bool) -> None:
    import tensorflow as tf

    tf.config.experimental.enable_tensor_float_32_execution(allowed)


def _torch(allowed: bool) -> None:
    import torch

    torch.set_float32_matmul_precision("high" if allowed else "highest")
    torch.backends.cudnn.allow_tf32 = allowed


_TF32 = {"jax": _jax, "tensorflow": _tensorflow, "torch": _torch}
