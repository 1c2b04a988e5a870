"""What XLA is told when it compiles training steps for CPUs."""

from __future__ import annotations

import os

import jax

from zoo.engine import accelerate

FLAG = "xla_cpu_experimental_ynn_fusion_type"

OPTIONS = {FLAG: "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT"}
"""Use the library YNN for matrix products, and for nothing else.

By default XLA gives it sums and convolutions as well, and steps are slower for it.
"""


def install() -> str | None:
    """Try whether XLA takes the options.

    Returns:
        Why it does as it would; None where it takes them.
    """
    if FLAG in os.environ.get("XLA_FLAGS", ""):
        return "XLA_FLAGS says how to use YNN"
    try:
        jax.jit(lambda x: x, compiler_options=OPTIONS).lower(0.0).compile()
    except (jax.errors.JaxRuntimeError, TypeError, ValueError):
        return f"JAX {jax.__version__} does not know {FLAG}"
    return None


def options() -> dict[str, str] | None:
    """For ``jax.jit(compiler_options=...)``; None where XLA is to do as it would."""
    return OPTIONS if accelerate.on("jax_compiler_options") else None
